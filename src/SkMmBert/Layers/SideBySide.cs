using System.Runtime.ExceptionServices;

namespace SkMmBert;

/// <summary>Independent steps of opening a model, on as many processors as there are.</summary>
internal static class SideBySide
{
    /// <summary>Runs all actions to their ends; then, of those that failed, throws what the first in the list threw.</summary>
    public static void Run(params Action[] actions)
    {
        ExceptionDispatchInfo?[] errors = new ExceptionDispatchInfo?[actions.Length];
        Parallel.For(0, actions.Length, i =>
        {
            try
            {
                actions[i]();
            }
            catch (Exception error)
            {
                errors[i] = ExceptionDispatchInfo.Capture(error);
            }
        });
        Array.Find(errors, error => error is not null)?.Throw();
    }
}
