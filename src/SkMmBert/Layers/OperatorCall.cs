using System.Runtime.InteropServices;
using System.Text;

namespace SkMmBert;

/// <summary>One call of an operator of our own by the runtime: its tensors and its threads.</summary>
internal readonly unsafe struct OperatorCall(nint context)
{
    private const int Failed = 1;

    /// <summary>Does a call's work; what it throws becomes the runtime's error.</summary>
    /// <returns>The status the runtime expects: 0 for done.</returns>
    public static nint Guard(delegate*<long*, OperatorCall, void> work, long* attributes, nint context)
    {
        try
        {
            work(attributes, new OperatorCall(context));
            return 0;
        }
        catch (Exception error)
        {
            fixed (byte* text = Encoding.UTF8.GetBytes(error.Message + '\0'))
            {
                return ((delegate* unmanaged<int, byte*, nint>)OwnOperators.Runtime[(int)OwnOperators.Place.CreateStatus])(Failed, text);
            }
        }
    }

    /// <summary>Whether the node has an output.</summary>
    public bool HasOutput(int index)
    {
        nuint count = 0;
        Check(((delegate* unmanaged<nint, nuint*, nint>)OwnOperators.Runtime[(int)OwnOperators.Place.OutputCount])(context, &count));
        return (nuint)index < count;
    }

    /// <summary>The data of an input; 0 for one that is not there.</summary>
    public nint Input(int index)
    {
        nuint count = 0;
        nint value = 0;
        Check(((delegate* unmanaged<nint, nuint*, nint>)OwnOperators.Runtime[(int)OwnOperators.Place.InputCount])(context, &count));
        if ((nuint)index < count)
        {
            Check(((delegate* unmanaged<nint, nuint, nint*, nint>)OwnOperators.Runtime[(int)OwnOperators.Place.Input])(context, (nuint)index, &value));
        }

        return value == 0 ? 0 : Data(value);
    }

    /// <summary>Makes an output of a shape; its data.</summary>
    public nint Output(int index, params ReadOnlySpan<long> shape)
    {
        nint value = 0;
        fixed (long* sizes = shape)
        {
            Check(((delegate* unmanaged<nint, nuint, long*, nuint, nint*, nint>)OwnOperators.Runtime[(int)OwnOperators.Place.Output])(context, (nuint)index, sizes, (nuint)shape.Length, &value));
        }

        return Data(value);
    }

    /// <summary>Calls a function for each number below a count, on the threads of the run; it must not throw.</summary>
    public void For(int count, delegate* unmanaged<void*, nuint, void> part, void* data)
        => Check(((delegate* unmanaged<nint, delegate* unmanaged<void*, nuint, void>, nuint, nuint, void*, nint>)OwnOperators.Runtime[(int)OwnOperators.Place.ParallelFor])(context, part, (nuint)count, 0, data));

    private static nint Data(nint value)
    {
        nint data = 0;
        Check(((delegate* unmanaged<nint, nint*, nint>)OwnOperators.Runtime[(int)OwnOperators.Place.TensorData])(value, &data));
        return data;
    }

    private static void Check(nint status)
    {
        if (status != 0)
        {
            throw new InvalidOperationException("ONNX Runtime refused a tensor of one of SkMmBert's operators. Expected: a graph written by this version; delete the cache folder of the model.");
        }
    }
}
