namespace SkMmBert;

/// <summary>A token that is found in the text itself, before the model sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">What is looked for.</param>
/// <param name="SingleWord">Not found inside a word.</param>
/// <param name="StripLeft">Swallows white space on its left.</param>
/// <param name="StripRight">Swallows white space on its right.</param>
/// <param name="Normalized">Looked for after normalising, in what the other added tokens left over.</param>
/// <param name="Special">Left out when decoding; plain text when special tokens are neutralised.</param>
internal sealed record AddedToken(int Id, string Text, bool SingleWord, bool StripLeft, bool StripRight, bool Normalized, bool Special);
