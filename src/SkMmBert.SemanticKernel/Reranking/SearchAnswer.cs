namespace SkMmBert;

/// <summary>The results of one search, whatever their form.</summary>
internal abstract class SearchAnswer
{
    public abstract int Count { get; }

    /// <summary>The text of a result; empty where it has none.</summary>
    public abstract string Text(int index);

    /// <summary>The results at the given places, in that order and in the form that the search gave.</summary>
    public abstract object Take(IReadOnlyList<int> order);
}

/// <summary>Results of one type.</summary>
/// <param name="items">The results in first order.</param>
/// <param name="text">Reads the text of a result.</param>
/// <param name="form">Puts results into the form that the search gave.</param>
internal sealed class SearchAnswer<T>(IReadOnlyList<T> items, Func<T, string?> text, Func<List<T>, object> form) : SearchAnswer
{
    public override int Count => items.Count;

    public override string Text(int index) => text(items[index]) ?? "";

    public override object Take(IReadOnlyList<int> order) => form([.. order.Select(index => items[index])]);
}
