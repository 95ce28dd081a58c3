/* Lets .NET 10 run reliably under Wine 8.0. For the tests only: no part of the product. Two things are put right.
 *
 * 1. Wine's exception dispatcher pushes a frame onto the list in the TEB and expects the unwinder to pop it. The CLR
 *    unwinds by its own means and leaves it there; a later native exception then walks frames on dead stack, raises
 *    another exception in doing so, and recurses until the stack is gone. A vectored handler, which runs before that
 *    list is looked at, drops what is dead.
 * 2. The CLR suspends a thread and asks GetThreadContext for CONTEXT_EXCEPTION_REPORTING, which says that the answer can be
 *    trusted. Wine never sets it, and a collection then waits for ever for a thread in a tight loop. The import of
 *    coreclr.dll is replaced by a function that sets it.
 *
 * The third remedy, DOTNET_EnableWriteXorExecute=0, must be in the environment before the program starts. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

/* gcc 12 takes mingw's own NtCurrentTeb (a read through the gs segment) for one out of bounds. */
#pragma GCC diagnostic ignored "-Warray-bounds"

/* What wine_clr_fixes_install answers; the numbers are WineFixes' in the test assembly. */
enum { NOT_WINE = 0, INSTALLED = 1, NO_HANDLER = -1, NO_IMPORT = -2 };

typedef struct frame {
  struct frame *next; /* the older one; LAST_FRAME at the end */
  void *handler;
} frame;

#define LAST_FRAME ((frame *)(ULONG_PTR)-1)
#define STACK_BELOW_US 0x100000u /* an exception is handled further down the stack than where it was raised: so far at most */
#define CONTEXT_ASKED 0x40000000u     /* CONTEXT_EXCEPTION_REQUEST */
#define CONTEXT_ANSWERED 0x80000000u  /* CONTEXT_EXCEPTION_REPORTING */

typedef BOOL(WINAPI *get_thread_context)(HANDLE, CONTEXT *);

static ULONG_PTR s_ntdll_begin;
static ULONG_PTR s_ntdll_end;
static get_thread_context s_real_get_thread_context;

static IMAGE_NT_HEADERS *image_headers(ULONG_PTR image) {
  const IMAGE_DOS_HEADER *dos = (const IMAGE_DOS_HEADER *)image;
  return (IMAGE_NT_HEADERS *)(image + (ULONG_PTR)dos->e_lfanew);
}

/* ---------------------------------------------------------------- 1. stale exception frames */

static BOOL is_code_of_an_image(void *address) {
  const DWORD executable = PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_READWRITE | PAGE_EXECUTE_WRITECOPY;
  MEMORY_BASIC_INFORMATION memory;
  if (VirtualQuery(address, &memory, sizeof memory) == 0) return FALSE;
  return memory.State == MEM_COMMIT && memory.Type == MEM_IMAGE && (memory.Protect & executable) != 0;
}

/* A frame above the stack pointer may be alive: ntdll's is when it is the thread's first, another library's when its handler is
 * code. */
static BOOL is_live(const frame *one) {
  const ULONG_PTR handler = (ULONG_PTR)one->handler;
  if (handler >= s_ntdll_begin && handler < s_ntdll_end) return one->next == LAST_FRAME;
  return is_code_of_an_image(one->handler);
}

static LONG CALLBACK drop_stale_frames(EXCEPTION_POINTERS *exception) {
  NT_TIB *tib = (NT_TIB *)NtCurrentTeb();
  const ULONG_PTR raised_at = exception->ContextRecord->Rsp;
  const ULONG_PTR lowest = (ULONG_PTR)&tib - STACK_BELOW_US;
  frame *newest = (frame *)tib->ExceptionList;
  while (newest != LAST_FRAME) {
    const ULONG_PTR at = (ULONG_PTR)newest;
    if (at % sizeof(void *) != 0 || at < lowest || at >= (ULONG_PTR)tib->StackBase) {
      newest = LAST_FRAME; /* not on this stack: nothing of the list is worth keeping */
      break;
    }
    if (at >= raised_at && is_live(newest)) break;
    frame *next = newest->next;
    newest = (ULONG_PTR)next > at ? next : LAST_FRAME; /* an older frame lies higher */
  }
  tib->ExceptionList = (void *)newest;
  return EXCEPTION_CONTINUE_SEARCH;
}

/* ---------------------------------------------------------------- 2. thread contexts that can be trusted */

static BOOL WINAPI get_trusted_thread_context(HANDLE thread, CONTEXT *context) {
  const DWORD asked = context->ContextFlags;
  const BOOL done = s_real_get_thread_context(thread, context);
  if (done && (asked & CONTEXT_ASKED) != 0) context->ContextFlags |= CONTEXT_ANSWERED;
  return done;
}

static BOOL replace_pointer(ULONG_PTR *where, ULONG_PTR value) {
  DWORD before;
  if (!VirtualProtect(where, sizeof *where, PAGE_READWRITE, &before)) return FALSE;
  *where = value;
  return VirtualProtect(where, sizeof *where, before, &before);
}

/* Among the imports from one DLL, replaces GetThreadContext. */
static BOOL replace_import(ULONG_PTR image, const IMAGE_IMPORT_DESCRIPTOR *imports) {
  const IMAGE_THUNK_DATA *names = (const IMAGE_THUNK_DATA *)(image + imports->OriginalFirstThunk);
  IMAGE_THUNK_DATA *addresses = (IMAGE_THUNK_DATA *)(image + imports->FirstThunk);
  for (; names->u1.AddressOfData != 0; names++, addresses++) {
    if (IMAGE_SNAP_BY_ORDINAL(names->u1.Ordinal)) continue;
    const IMAGE_IMPORT_BY_NAME *import = (const IMAGE_IMPORT_BY_NAME *)(image + (ULONG_PTR)names->u1.AddressOfData);
    if (lstrcmpA((const char *)import->Name, "GetThreadContext") != 0) continue;
    s_real_get_thread_context = (get_thread_context)(ULONG_PTR)addresses->u1.Function;
    return replace_pointer((ULONG_PTR *)&addresses->u1.Function, (ULONG_PTR)get_trusted_thread_context);
  }
  return FALSE;
}

static BOOL trust_thread_contexts(void) {
  const ULONG_PTR image = (ULONG_PTR)GetModuleHandleW(L"coreclr.dll");
  if (image == 0) return FALSE;
  const IMAGE_DATA_DIRECTORY *directory =
      &image_headers(image)->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
  const IMAGE_IMPORT_DESCRIPTOR *imports = (const IMAGE_IMPORT_DESCRIPTOR *)(image + directory->VirtualAddress);
  for (; imports->Name != 0; imports++) {
    if (replace_import(image, imports)) return TRUE;
  }
  return FALSE;
}

/* Once in a process, from a thread of the CLR. */
__declspec(dllexport) int wine_clr_fixes_install(void) {
  const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  if (GetProcAddress(ntdll, "wine_get_version") == NULL) return NOT_WINE;
  s_ntdll_begin = (ULONG_PTR)ntdll;
  s_ntdll_end = s_ntdll_begin + image_headers(s_ntdll_begin)->OptionalHeader.SizeOfImage;
  if (AddVectoredExceptionHandler(1, drop_stale_frames) == NULL) return NO_HANDLER;
  return trust_thread_contexts() ? INSTALLED : NO_IMPORT;
}
