namespace SkMmBert;

/// <summary>Function words of common languages: in a catalogue of short texts they are rare and would look telling.</summary>
internal static class ToolStopWords
{
    public static readonly IReadOnlyList<string> All = [.. string.Join(' ',
        // English
        "a an the i me my mine we us our ours you your yours he him his she her it its they them their this that these those there here",
        "am is are was were be been being do does did doing done have has had having will would shall should can could may might must",
        "and or but if so because as of at by for with about into to from in on off up out over under than then too very just also only not no nor",
        "what which who whom whose when where why how all any both each few more most other some such same own s t d ll m re ve don didn doesn isn wasn won",
        "please thank thanks hello hi hey ok okay yes want need like know tell let help would could lot thing something anything really now",
        // German, Dutch
        "der die das den dem des ein eine einen einem einer eines und oder aber ich du er sie es wir ihr mich mir dich dir uns mein meine meinen dein sein ist sind war bin bist",
        "hat habe haben wird werden kann kannst konnen mochte will bitte nicht kein keine mit fur von zu zum zur auf aus bei nach im am an in um was wie wer wo wann warum welche welcher mal auch noch",
        "de het een en of maar ik jij je hij zij wij mijn is zijn was heb heeft kan wil niet geen met voor van naar op uit bij wat hoe wie waar wanneer graag",
        // French, Italian, Spanish, Portuguese
        "le la les l un une des du de d et ou mais je j tu il elle nous vous ils mon ma mes ton ta ce cet cette ces est sont suis ai as a ont peux peut veux voudrai pas ne n que qu qui quoi quel quelle comment pour par avec dan sur au aux en y se plait",
        "il lo gli i uno una e o ma io tu lui lei noi voi mi ti ci mio mia sono sei ho hai ha voglio puoi non con per da di del della che chi cosa come quando dove quale si su nel alla",
        "el los las y o pero yo tu el ella nosotro mi mis me te se soy es son esta estoy he ha quiero puedo puede no con por para de del al que quien como cuando donde cual en un una por favor",
        "o os as um uma e ou mas eu voce ele ela nos meu minha me e sao esta estou quero posso pode nao com por para de do da dos das no na em que quem como quando onde qual favor")
        .Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct()];
}
