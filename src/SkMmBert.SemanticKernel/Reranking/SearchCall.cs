using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.SemanticKernel;

namespace SkMmBert;

/// <summary>The arguments of one call of a search function: what is asked, how much is wanted, and how to ask for more.</summary>
internal sealed class SearchCall
{
    private readonly KernelArguments _arguments;
    private readonly List<(string Name, bool Given, object? Value)> _changed = [];
    private readonly KernelParameterMetadata? _count, _skip;

    public SearchCall(FunctionInvocationContext context, RerankingFilterOptions options)
    {
        _arguments = context.Arguments;
        RerankResultsAttribute? marked = context.Function.UnderlyingMethod?.GetCustomAttribute<RerankResultsAttribute>();
        IReadOnlyList<KernelParameterMetadata> parameters = context.Function.Metadata.Parameters;
        IEnumerable<string> queries = marked?.QueryArgument is { } query ? [query] : options.QueryArguments;
        Query = queries.Select(Argument).FirstOrDefault(value => value is not null) switch
        {
            string text => text,
            JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!,
            _ => "",
        };
        _count = First(parameters, marked?.CountArgument is { } count ? [count] : options.CountArguments);
        _skip = First(parameters, options.SkipArguments);
        Wanted = Number(_count) is int wanted and > 0 ? wanted : null;
        Skip = Number(_skip) is int skip and > 0 ? skip : 0;
    }

    /// <summary>The question; empty when the call has none that is a text.</summary>
    public string Query { get; }

    /// <summary>How many results the call wants; null when it does not say.</summary>
    public int? Wanted { get; }

    /// <summary>How many results the call passes over first.</summary>
    public int Skip { get; }

    /// <summary>Whether the call now asks for other results than it wants.</summary>
    public bool IsRaised => _changed.Count > 0;

    /// <summary>Asks for more, from the first result on.</summary>
    public void Raise(OverFetch fetch)
    {
        if (Wanted is not int wanted || fetch.For(wanted, Skip) == wanted)
        {
            return;
        }

        Set(_count!, fetch.For(wanted, Skip));
        if (Skip > 0)
        {
            Set(_skip!, 0);
        }
    }

    /// <summary>Puts the caller's arguments back.</summary>
    public void Restore()
    {
        foreach ((string name, bool given, object? value) in _changed)
        {
            if (given)
            {
                _arguments[name] = value;
            }
            else
            {
                _arguments.Remove(name);
            }
        }

        _changed.Clear();
    }

    private object? Argument(string name) => _arguments.FirstOrDefault(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private static KernelParameterMetadata? First(IReadOnlyList<KernelParameterMetadata> parameters, IEnumerable<string> names) =>
        names.Select(name => parameters.FirstOrDefault(parameter => parameter.Name.Equals(name, StringComparison.OrdinalIgnoreCase))).FirstOrDefault(parameter => parameter is not null);

    private int? Number(KernelParameterMetadata? parameter) => parameter is null ? null : (_arguments.TryGetValue(parameter.Name, out object? given) && given is not null ? given : parameter.DefaultValue) switch
    {
        int number => number,
        long number => (int)Math.Clamp(number, int.MinValue, int.MaxValue),
        short or byte or sbyte or ushort or uint => Convert.ToInt32(given ?? parameter.DefaultValue, CultureInfo.InvariantCulture),
        double number when double.IsInteger(number) && Math.Abs(number) <= int.MaxValue => (int)number,
        string text => int.TryParse(text, CultureInfo.InvariantCulture, out int number) ? number : null,
        JsonElement { ValueKind: JsonValueKind.Number } json => json.TryGetInt32(out int number) ? number : null,
        JsonElement { ValueKind: JsonValueKind.String } json => int.TryParse(json.GetString(), CultureInfo.InvariantCulture, out int number) ? number : null,
        _ => null,
    };

    private void Set(KernelParameterMetadata parameter, int number)
    {
        bool given = _arguments.TryGetValue(parameter.Name, out object? value);
        _changed.Add((parameter.Name, given, value));
        Type type = parameter.ParameterType is { } declared ? Nullable.GetUnderlyingType(declared) ?? declared : typeof(int);
        // Other types convert themselves from a text.
        _arguments[parameter.Name] = type == typeof(int) ? number : type == typeof(long) ? (object)(long)number : number.ToString(CultureInfo.InvariantCulture);
    }
}
