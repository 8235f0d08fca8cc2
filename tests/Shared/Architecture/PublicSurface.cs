using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace SkMmBert.Tests;

/// <summary>What an assembly shows to its users, as a text.</summary>
internal static class PublicSurface
{
    /// <summary>Every exported type with its members, one a line, in an order that does not depend on the source.</summary>
    public static string Of(Assembly assembly)
    {
        StringBuilder text = new();
        foreach (Type type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(Kind(type)).Append(' ').Append(Name(type));
            Type[] bases = [.. new[] { type.BaseType }.Where(b => b is not null && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum)).Cast<Type>(), .. type.GetInterfaces().Where(i => i.IsPublic && i.Name != "IEquatable`1").OrderBy(i => i.Name, StringComparer.Ordinal)];
            text.Append(bases.Length == 0 || type.IsEnum ? "" : " : " + string.Join(", ", bases.Select(Name))).Append('\n');
            foreach (string line in Members(type).Order(StringComparer.Ordinal))
            {
                text.Append("  ").Append(line).Append('\n');
            }
        }

        return text.ToString();
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Select(name => $"{name} = {(int)Enum.Parse(type, name)}");
        }

        const BindingFlags Own = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;
        bool Seen(MethodBase? method) => method is not null && (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly) && !method.IsDefined(typeof(CompilerGeneratedAttribute));
        IEnumerable<string> constructors = type.GetConstructors(Own).Where(Seen).Select(c => $"new({Parameters(c)})");
        IEnumerable<string> methods = type.GetMethods(Own).Where(m => Seen(m) && !m.IsSpecialName).Select(m => $"{Modifier(m)}{Name(m.ReturnType)} {m.Name}{(m.IsGenericMethod ? "<" + string.Join(", ", m.GetGenericArguments().Select(Name)) + ">" : "")}({Parameters(m)})");
        IEnumerable<string> properties = type.GetProperties(Own).Where(p => p.GetMethod is { IsPublic: true } or { IsFamily: true } && p.Name != "EqualityContract").Select(p => $"{Modifier(p.GetMethod!)}{Name(p.PropertyType)} {p.Name} {{ get;{Setter(p)} }}");
        IEnumerable<string> fields = type.GetFields(Own).Where(f => f.IsPublic).Select(f => $"{(f.IsLiteral ? "const " : f.IsStatic ? "static " : "")}{Name(f.FieldType)} {f.Name}");
        IEnumerable<string> events = type.GetEvents(Own).Where(e => Seen(e.AddMethod)).Select(e => $"event {Name(e.EventHandlerType!)} {e.Name}");
        return constructors.Concat(methods).Concat(properties).Concat(fields).Concat(events);
    }

    private static string Setter(PropertyInfo property) => property.SetMethod is not { IsPublic: true } set ? ""
        : set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;";

    private static string Modifier(MethodBase method) =>
        (method.IsFamily || method.IsFamilyOrAssembly ? "protected " : "") + (method.IsStatic ? "static " : method.IsAbstract ? "abstract " : method is MethodInfo { IsVirtual: true, IsFinal: false } m && m.DeclaringType is { IsSealed: false } ? m.GetBaseDefinition() == m ? "virtual " : "override " : "");

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(p =>
        (method.IsDefined(typeof(ExtensionAttribute)) && p.Position == 0 ? "this " : "") + (p.IsOut ? "out " : p.ParameterType.IsByRef ? "ref " : "") + $"{Name(p.ParameterType)} {p.Name}" + (p.HasDefaultValue ? " = " + (p.DefaultValue is string s ? $"\"{s}\"" : p.DefaultValue?.ToString() ?? "default") : "")));

    private static string Kind(Type type) => type.IsEnum ? "enum" : type.IsInterface ? "interface" : typeof(Delegate).IsAssignableFrom(type) ? "delegate" : type.IsValueType ? "struct"
        : (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "") + (type.GetMethod("<Clone>$") is null ? "class" : "record");

    private static string Name(Type type)
    {
        if (type.IsByRef || type.IsArray)
        {
            return Name(type.GetElementType()!) + (type.IsArray ? "[]" : "");
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
        {
            return Name(value) + "?";
        }

        string name = type.Name.Split('`')[0];
        name = name switch { "Int32" => "int", "Int64" => "long", "Single" => "float", "Double" => "double", "Boolean" => "bool", "String" => "string", "Void" => "void", "Object" => "object", "Char" => "char", "Byte" => "byte", _ => name };
        name = type.IsNested && !type.IsGenericParameter ? $"{Name(type.DeclaringType!)}.{name}" : name;
        return type.IsGenericType ? $"{name}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }
}
