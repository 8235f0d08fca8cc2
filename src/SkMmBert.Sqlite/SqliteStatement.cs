using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace SkMmBert;

/// <summary>A prepared statement without a command object around it: what the loops over thousands of rows use.</summary>
internal sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    public SqliteStatement(sqlite3 database, string sql)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
    }

    /// <summary>Sets all parameters, in order: integers, text, blobs or null.</summary>
    public SqliteStatement With(params ReadOnlySpan<object?> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            switch (values[i])
            {
                case null: Check(raw.sqlite3_bind_null(_statement, i + 1)); break;
                case string text: Set(i + 1, text); break;
                case byte[] blob: Set(i + 1, blob); break;
                case object value: Set(i + 1, Convert.ToInt64(value, null)); break;
            }
        }

        return this;
    }

    public void Set(int parameter, long value) => Check(raw.sqlite3_bind_int64(_statement, parameter, value));

    public void Set(int parameter, string? text) => Check(text is null ? raw.sqlite3_bind_null(_statement, parameter) : raw.sqlite3_bind_text(_statement, parameter, text));

    public void Set(int parameter, ReadOnlySpan<byte> blob) => Check(raw.sqlite3_bind_blob(_statement, parameter, blob));

    /// <summary>Goes to the next row; when there is none the statement is ready for its next use.</summary>
    public bool Step()
    {
        int code = raw.sqlite3_step(_statement);
        if (code == raw.SQLITE_ROW)
        {
            return true;
        }

        Reset();
        Check(code == raw.SQLITE_DONE ? raw.SQLITE_OK : code);
        return false;
    }

    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>The first row's first number, or null when there is no row or no number.</summary>
    public long? Scalar()
    {
        long? value = Step() && !IsNull(0) ? Integer(0) : null;
        Reset();
        return value;
    }

    public string? ScalarText()
    {
        string? value = Step() ? Text(0) : null;
        Reset();
        return value;
    }

    public void Reset() => raw.sqlite3_reset(_statement);

    public bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    public long Integer(int column) => raw.sqlite3_column_int64(_statement, column);

    public double Real(int column) => raw.sqlite3_column_double(_statement, column);

    public string? Text(int column) => IsNull(column) ? null : raw.sqlite3_column_text(_statement, column).utf8_to_string();

    /// <summary>The bytes of a blob; valid until the next step.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(_statement, column);

    public void Dispose() => _statement.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(code, _database);
        }
    }
}

/// <summary>How vectors lie in blobs.</summary>
internal static class SqliteBlobs
{
    /// <summary>Bytes before the signs: scale, tail, scope, time, each of four.</summary>
    private const int Header = 16;

    /// <summary>Where the number of the scope lies.</summary>
    public const int ScopeAt = 8;

    public static int CoarseLength(MemoryModel model) => Header + (8 * SignBits.Words(model.Dimensions)) + model.Tiers[0];

    public static byte[] Coarse(ReadOnlySpan<float> vector, MemoryModel model, int scope, uint time)
    {
        byte[] blob = new byte[CoarseLength(model)];
        int route = blob.Length - model.Tiers[0];
        float scale = Quantization.ToInt8(vector[..model.Tiers[0]], MemoryMarshal.Cast<byte, sbyte>(blob.AsSpan(route)));
        MemoryMarshal.Write(blob, scale);
        MemoryMarshal.Write(blob.AsSpan(4), SignBits.MeanSize(vector, model.Tiers[0]));
        MemoryMarshal.Write(blob.AsSpan(ScopeAt), scope);
        MemoryMarshal.Write(blob.AsSpan(12), time);
        SignBits.Write(vector, MemoryMarshal.Cast<byte, ulong>(blob.AsSpan(Header, route - Header)));
        return blob;
    }

    /// <summary>Adds a row's coarse vector to a funnel.</summary>
    public static void Follow(VectorFunnel funnel, int key, ReadOnlySpan<byte> blob)
    {
        int route = blob.Length - funnel.RouteLength;
        funnel.Add(key, MemoryMarshal.Read<int>(blob[ScopeAt..]), MemoryMarshal.Read<uint>(blob[12..]), new VectorFunnel.Coarse(
            MemoryMarshal.Cast<byte, ulong>(blob[Header..route]), MemoryMarshal.Cast<byte, sbyte>(blob[route..]), MemoryMarshal.Read<float>(blob), MemoryMarshal.Read<float>(blob[4..])));
    }

    /// <summary>scale 4, bytes of the retrieve tier.</summary>
    public static byte[] Middle(ReadOnlySpan<float> vector, int retrieveLength)
    {
        byte[] blob = new byte[4 + retrieveLength];
        MemoryMarshal.Write(blob, Quantization.ToInt8(vector[..retrieveLength], MemoryMarshal.Cast<byte, sbyte>(blob.AsSpan(4))));
        return blob;
    }

    // Half precision: a cosine moves by less than 0.0001, and a million items need half the disk.
    public static byte[] Full(ReadOnlySpan<float> vector)
    {
        byte[] blob = new byte[2 * vector.Length];
        System.Numerics.Tensors.TensorPrimitives.ConvertToHalf(vector, MemoryMarshal.Cast<byte, Half>(blob.AsSpan()));
        return blob;
    }

    public static void ReadFull(ReadOnlySpan<byte> blob, Span<float> vector) =>
        System.Numerics.Tensors.TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(blob), vector);

    public static uint Seconds(DateTimeOffset time) => (uint)Math.Clamp(time.ToUnixTimeSeconds(), 0, uint.MaxValue);
}
