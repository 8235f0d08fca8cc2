using System.Linq.Expressions;

namespace SkMmBert;

using Condition = Expression<Func<Dictionary<string, object?>, bool>>;

/// <summary>Conditions that a vector store checks, in the forms that every connector translates: equality, order, and membership in a list.</summary>
internal static class VectorStoreFilters
{
    public static Condition Since(long sequence) => record => (long)record[VectorStoreSchema.Sequence]! >= sequence;

    public static Condition OfIds(string scope, List<string> ids) => record => (string)record[VectorStoreSchema.Scope]! == scope && ids.Contains((string)record[VectorStoreSchema.Id]!);

    public static Condition? Of(MemorySearch search, bool tags)
    {
        List<string> scopes = [.. search.Scopes.Select(scope => scope.ToString())];
        Condition condition = record => scopes.Contains((string)record[VectorStoreSchema.Scope]!);
        return And(condition, OfTimeAndPairs(search.From, search.To, tags ? search.Metadata : null));
    }

    public static Condition? Of(MemoryFilter filter, bool tags)
    {
        Condition? condition = OfTimeAndPairs(filter.From, filter.To, tags ? filter.Metadata : null);
        if (filter.Ids is { } wanted)
        {
            List<string> ids = [.. wanted];
            condition = And(condition, record => ids.Contains((string)record[VectorStoreSchema.Id]!));
        }

        if (filter.Source is { } source)
        {
            condition = And(condition, record => (string)record[VectorStoreSchema.Source]! == source);
        }

        if (filter.Scope?.Application is { } application)
        {
            condition = And(condition, record => (string)record[VectorStoreSchema.Application]! == application);
        }

        if (filter.Scope?.Agent is { } agent)
        {
            condition = And(condition, record => (string)record[VectorStoreSchema.Agent]! == agent);
        }

        if (filter.Scope?.User is { } user)
        {
            condition = And(condition, record => (string)record[VectorStoreSchema.User]! == user);
        }

        if (filter.Scope?.Session is { } session)
        {
            condition = And(condition, record => (string)record[VectorStoreSchema.Session]! == session);
        }

        return condition;
    }

    public static Condition? And(Condition? first, Condition? second) => first is null ? second : second is null ? first
        : Expression.Lambda<Func<Dictionary<string, object?>, bool>>(
            Expression.AndAlso(first.Body, new Renaming(second.Parameters[0], first.Parameters[0]).Visit(second.Body)), first.Parameters);

    private static Condition? OfTimeAndPairs(DateTimeOffset? from, DateTimeOffset? to, IReadOnlyDictionary<string, string>? pairs)
    {
        Condition? condition = null;
        if (from?.UtcTicks is long first)
        {
            condition = record => (long)record[VectorStoreSchema.Time]! >= first;
        }

        if (to?.UtcTicks is long end)
        {
            condition = And(condition, record => (long)record[VectorStoreSchema.Time]! < end);
        }

        foreach (string tag in (pairs ?? new Dictionary<string, string>()).Select(pair => VectorStoreSchema.Tag(pair.Key, pair.Value)))
        {
            condition = And(condition, record => ((List<string>)record[VectorStoreSchema.Tags]!).Contains(tag));
        }

        return condition;
    }

    private sealed class Renaming(ParameterExpression from, ParameterExpression to) : ExpressionVisitor
    {
        protected override Expression VisitParameter(ParameterExpression node) => node == from ? to : node;
    }
}
