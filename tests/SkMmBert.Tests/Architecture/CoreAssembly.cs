using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace SkMmBert.Tests;

/// <summary>The compiled core: each type with the file it stands in and the other types of the core that it uses.</summary>
internal sealed class CoreAssembly : IDisposable
{
    private static readonly Guid TypeDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");
    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields().Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => (int)(ushort)code.Value);

    private readonly PEReader _file;
    private readonly MetadataReaderProvider _symbolsFile;
    private readonly MetadataReader _types, _symbols;

    public CoreAssembly()
    {
        string path = typeof(MmBertModel).Assembly.Location;
        _file = new(File.OpenRead(path));
        _types = _file.GetMetadataReader();
        _symbolsFile = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.ChangeExtension(path, ".pdb")));
        _symbols = _symbolsFile.GetMetadataReader();
    }

    /// <summary>Every type that was written by hand, with its source file; types inside others count as the outer one.</summary>
    public Dictionary<TypeDefinitionHandle, string> Files()
    {
        Dictionary<TypeDefinitionHandle, string> files = [];
        foreach (CustomDebugInformationHandle handle in _symbols.CustomDebugInformation)
        {
            CustomDebugInformation information = _symbols.GetCustomDebugInformation(handle);
            if (_symbols.GetGuid(information.Kind) == TypeDocuments)
            {
                BlobReader documents = _symbols.GetBlobReader(information.Value);
                Add((TypeDefinitionHandle)information.Parent, MetadataTokens.DocumentHandle(documents.ReadCompressedInteger()));
            }
        }

        foreach (MethodDefinitionHandle handle in _types.MethodDefinitions)
        {
            DocumentHandle document = _symbols.GetMethodDebugInformation(handle).Document;
            if (!document.IsNil)
            {
                Add(_types.GetMethodDefinition(handle).GetDeclaringType(), document);
            }
        }

        return files;

        void Add(TypeDefinitionHandle type, DocumentHandle document) => files.TryAdd(Outermost(type), _symbols.GetString(_symbols.GetDocument(document).Name).Replace('\\', '/'));
    }

    public string Name(TypeDefinitionHandle type) => _types.GetString(_types.GetTypeDefinition(type).Name);

    /// <summary>The types that a type uses: its base, fields, signatures and the code of its methods, and of the types inside it.</summary>
    public HashSet<TypeDefinitionHandle> Uses(TypeDefinitionHandle type)
    {
        HashSet<TypeDefinitionHandle> found = [];
        Collect(type, new(this, found));
        found.Remove(type);
        return found;
    }

    public void Dispose()
    {
        _file.Dispose();
        _symbolsFile.Dispose();
    }

    private void Collect(TypeDefinitionHandle handle, TypeCollector collector)
    {
        TypeDefinition type = _types.GetTypeDefinition(handle);
        Use(type.BaseType, collector);
        foreach (InterfaceImplementationHandle implementation in type.GetInterfaceImplementations())
        {
            Use(_types.GetInterfaceImplementation(implementation).Interface, collector);
        }

        foreach (FieldDefinitionHandle field in type.GetFields())
        {
            _types.GetFieldDefinition(field).DecodeSignature(collector, null);
        }

        foreach (MethodDefinitionHandle method in type.GetMethods())
        {
            Collect(_types.GetMethodDefinition(method), collector);
        }

        foreach (TypeDefinitionHandle nested in type.GetNestedTypes())
        {
            Collect(nested, collector);
        }
    }

    private void Collect(MethodDefinition method, TypeCollector collector)
    {
        method.DecodeSignature(collector, null);
        if (method.RelativeVirtualAddress == 0)
        {
            return;
        }

        MethodBodyBlock body = _file.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
        {
            _types.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(collector, null);
        }

        BlobReader code = body.GetILReader();
        while (code.RemainingBytes > 0)
        {
            int value = code.ReadByte();
            OpCode op = OpCodesByValue[value == 0xFE ? 0xFE00 | code.ReadByte() : value];
            switch (op.OperandType)
            {
                case OperandType.InlineTok or OperandType.InlineType or OperandType.InlineMethod or OperandType.InlineField:
                    Use(MetadataTokens.EntityHandle(code.ReadInt32()), collector);
                    break;
                case OperandType.InlineSwitch:
                    int targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    code.Offset += 1;
                    break;
                case OperandType.InlineVar:
                    code.Offset += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    code.Offset += 8;
                    break;
                default:
                    code.Offset += 4;
                    break;
            }
        }
    }

    private void Use(EntityHandle handle, TypeCollector collector)
    {
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                collector.GetTypeFromDefinition(_types, (TypeDefinitionHandle)handle, 0);
                break;
            case HandleKind.TypeSpecification:
                _types.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(collector, null);
                break;
            case HandleKind.MethodDefinition:
                Use(_types.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType(), collector);
                break;
            case HandleKind.FieldDefinition:
                Use(_types.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType(), collector);
                break;
            case HandleKind.MemberReference:
                MemberReference member = _types.GetMemberReference((MemberReferenceHandle)handle);
                Use(member.Parent, collector);
                _ = member.GetKind() == MemberReferenceKind.Method ? member.DecodeMethodSignature(collector, null).RequiredParameterCount : member.DecodeFieldSignature(collector, null);
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification generic = _types.GetMethodSpecification((MethodSpecificationHandle)handle);
                Use(generic.Method, collector);
                generic.DecodeSignature(collector, null);
                break;
        }
    }

    private TypeDefinitionHandle Outermost(TypeDefinitionHandle type)
    {
        while (_types.GetTypeDefinition(type).GetDeclaringType() is { IsNil: false } outer)
        {
            type = outer;
        }

        return type;
    }

    // Only definitions matter: everything else is a type of another assembly.
    private sealed class TypeCollector(CoreAssembly core, HashSet<TypeDefinitionHandle> found) : ISignatureTypeProvider<int, object?>
    {
        public int GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            found.Add(core.Outermost(handle));
            return 0;
        }

        public int GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) => reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        public int GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => 0;

        public int GetArrayType(int elementType, ArrayShape shape) => 0;

        public int GetByReferenceType(int elementType) => 0;

        public int GetFunctionPointerType(MethodSignature<int> signature) => 0;

        public int GetGenericInstantiation(int genericType, System.Collections.Immutable.ImmutableArray<int> typeArguments) => 0;

        public int GetGenericMethodParameter(object? genericContext, int index) => 0;

        public int GetGenericTypeParameter(object? genericContext, int index) => 0;

        public int GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;

        public int GetPinnedType(int elementType) => 0;

        public int GetPointerType(int elementType) => 0;

        public int GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;

        public int GetSZArrayType(int elementType) => 0;
    }
}
