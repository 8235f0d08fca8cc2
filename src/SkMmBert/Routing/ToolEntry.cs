using System.Text;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>A profile with what is computed of it once: the hashes its vectors are kept under and its size in a prompt.</summary>
internal sealed class ToolEntry
{
    public ToolEntry(ToolProfile profile)
    {
        Profile = profile;
        Texts = [.. ToolText.All(profile)];
        Hashes = [.. Texts.Select(ToolText.Hash)];
        StringBuilder all = new();
        all.Append(profile.QualifiedName).Append('\u001F').Append(profile.Description);
        foreach (ToolParameter parameter in profile.Parameters)
        {
            all.Append('\u001E').Append(parameter.Name).Append('\u001F').Append(parameter.Description);
        }

        foreach (string word in profile.Examples.Concat(profile.Keywords))
        {
            all.Append('\u001D').Append(word);
        }

        Content = ToolText.Hash(all.ToString());
        int schema = profile.Tool is AIFunctionDeclaration function ? function.JsonSchema.GetRawText().Length : profile.Parameters.Sum(parameter => 24 + parameter.Name.Length + (parameter.Description?.Length ?? 0));
        PromptTokens = (profile.Name.Length + (profile.Description?.Length ?? 0) + schema) / 4;
    }

    public ToolProfile Profile { get; }

    /// <summary>The texts that are embedded, the profile first.</summary>
    public string[] Texts { get; }

    /// <summary>The hash of each text.</summary>
    public UInt128[] Hashes { get; }

    /// <summary>The hash of everything the router reads of the tool.</summary>
    public UInt128 Content { get; }

    /// <summary>About how many tokens the tool takes in a prompt: four characters each.</summary>
    public int PromptTokens { get; }
}
