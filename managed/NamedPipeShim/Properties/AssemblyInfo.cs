using System.Runtime.InteropServices;

// The native library lies beside this assembly (or where the host's own list of native folders says): nobody plants
// another one in the working folder or on the path.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
