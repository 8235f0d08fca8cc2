namespace SkMmBert;

/// <summary>One weight of a layer: its name in the graph and the rows of the checkpoint's tensor that it is made of.</summary>
/// <param name="Name">Name in the graph.</param>
/// <param name="Tensor">Name in the checkpoint, without prefix.</param>
/// <param name="Rows">Rows of the tensor (its length for a vector).</param>
/// <param name="Columns">Columns of the tensor; 0 for a vector.</param>
/// <param name="FirstRow">First row taken.</param>
/// <param name="RowCount">Rows taken.</param>
internal readonly record struct LayerWeight(string Name, string Tensor, int Rows, int Columns, int FirstRow, int RowCount)
{
    public bool IsMatrix => Columns > 0;

    public static LayerWeight Vector(string name, string tensor, int length) => new(name, tensor, length, 0, 0, length);

    public static LayerWeight Matrix(string name, string tensor, int rows, int columns, int firstRow, int rowCount) => new(name, tensor, rows, columns, firstRow, rowCount);
}
