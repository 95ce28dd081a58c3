namespace NamedPipeShim.Tests.Support;

/// <summary>A fixture that is there on Windows only, Wine included.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class WindowsTestsAttribute() : OneSystemTestsAttribute(OperatingSystem.IsWindows());
