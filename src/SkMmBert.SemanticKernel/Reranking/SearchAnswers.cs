using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.Data;

namespace SkMmBert;

/// <summary>Reads the results out of what a search function returned.</summary>
internal static class SearchAnswers
{
    /// <summary>The declared type of a function's result, without its task; null when it is not known.</summary>
    public static Type? DeclaredResult(KernelFunction function) => Awaited(function.UnderlyingMethod?.ReturnType ?? function.Metadata.ReturnParameter.ParameterType);

    /// <summary>The results; null when they have a form that is not known, or one in which they could not be given back.</summary>
    public static async ValueTask<SearchAnswer?> ReadAsync(FunctionResult result, Func<object, string?>? text, CancellationToken cancellationToken)
    {
        Type? declared = DeclaredResult(result.Function);
        switch (result.GetValue<object>())
        {
            case string json:
                return JsonAnswers.Read(json);
            case JsonElement json:
                return JsonAnswers.Read(json);
            case JsonNode json:
                return JsonAnswers.Read(json);
            case KernelSearchResults<string> results:
                return await OfAsync(results, text, cancellationToken).ConfigureAwait(false);
            case KernelSearchResults<TextSearchResult> results:
                return await OfAsync(results, text, cancellationToken).ConfigureAwait(false);
            case KernelSearchResults<object> results:
                return await OfAsync(results, text, cancellationToken).ConfigureAwait(false);
            case IEnumerable<string> texts:
                return Of(texts, declared, text);
            case IEnumerable<TextSearchResult> results:
                return Of(results, declared, text);
            case { } other when RuntimeFeature.IsDynamicCodeSupported && other is not IDictionary:
                return await OfUnknownAsync(other, declared, text, cancellationToken).ConfigureAwait(false);
            default:
                return null;
        }
    }

    private static async ValueTask<SearchAnswer?> OfAsync<T>(KernelSearchResults<T> results, Func<object, string?>? text, CancellationToken cancellationToken)
    {
        List<T> items = await results.Results.ToListAsync(cancellationToken).ConfigureAwait(false);
        return new SearchAnswer<T>(items, item => RecordText.Of(item, text), taken => new KernelSearchResults<T>(taken.ToAsyncEnumerable(), results.TotalCount, results.Metadata));
    }

    private static async ValueTask<SearchAnswer?> OfAsync<T>(IAsyncEnumerable<T> results, Func<object, string?>? text, CancellationToken cancellationToken)
    {
        List<T> items = await results.ToListAsync(cancellationToken).ConfigureAwait(false);
        return new SearchAnswer<T>(items, item => RecordText.Of(item, text), taken => taken.ToAsyncEnumerable());
    }

    private static SearchAnswer? Of<T>(IEnumerable<T> results, Type? declared, Func<object, string?>? text)
    {
        bool array = results is T[];
        // What the caller may cast the result to must still hold it.
        Type given = array ? typeof(T[]) : typeof(List<T>);
        return declared is not null && !declared.IsAssignableFrom(given) && declared != typeof(object)
            ? null
            : new SearchAnswer<T>([.. results], item => RecordText.Of(item, text), taken => array ? taken.ToArray() : taken);
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Runs only where code can be made at run time; results of a type that was trimmed are left alone.")]
    [UnconditionalSuppressMessage("Trimming", "IL2060", Justification = "The methods take any type.")]
    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Interfaces of the value that is at hand.")]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "Interfaces of the value that is at hand.")]
    [RequiresDynamicCode("Makes a generic method for the type of the results.")]
    private static async ValueTask<SearchAnswer?> OfUnknownAsync(object value, Type? declared, Func<object, string?>? text, CancellationToken cancellationToken)
    {
        Type type = value.GetType();
        Type? results = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(KernelSearchResults<>) ? type : null;
        results ??= type.GetInterfaces().FirstOrDefault(face => face.IsGenericType && (face.GetGenericTypeDefinition() == typeof(IEnumerable<>) || face.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>)));
        if (results is null)
        {
            return null;
        }

        bool late = results.GetGenericTypeDefinition() != typeof(IEnumerable<>);
        MethodInfo method = typeof(SearchAnswers).GetMethods(BindingFlags.NonPublic | BindingFlags.Static)
            .First(method => method.Name == (late ? nameof(OfAsync) : nameof(Of)) && method.GetParameters()[0].ParameterType.GetGenericTypeDefinition() == results.GetGenericTypeDefinition())
            .MakeGenericMethod(results.GetGenericArguments());
        object? answer = method.Invoke(null, late ? [value, text, cancellationToken] : [value, declared, text]);
        return answer is ValueTask<SearchAnswer?> task ? await task.ConfigureAwait(false) : (SearchAnswer?)answer;
    }

    private static Type? Awaited(Type? type) =>
        type is { IsGenericType: true } && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>)) ? type.GetGenericArguments()[0] : type;
}
