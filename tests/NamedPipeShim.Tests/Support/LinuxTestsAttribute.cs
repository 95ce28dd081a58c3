namespace NamedPipeShim.Tests.Support;

/// <summary>A fixture that is there on Linux only.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class LinuxTestsAttribute() : OneSystemTestsAttribute(OperatingSystem.IsLinux());
