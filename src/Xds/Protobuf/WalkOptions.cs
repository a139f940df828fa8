namespace MeshProxy.Xds.Protobuf;

/// <summary>Where a walk goes.</summary>
/// <param name="IntoAny">Into packed messages of known types.</param>
/// <param name="ResolvesTypedStructs">To the message a TypedStruct stands for instead of its Struct.</param>
/// <param name="SkipsWhatRulesSkip">Not into fields whose validation rules say skip.</param>
internal readonly record struct WalkOptions(bool IntoAny, bool ResolvesTypedStructs = false, bool SkipsWhatRulesSkip = false);
