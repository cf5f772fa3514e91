// What wasi-libc's stdio and exit would ask of WASI, which a plugin does not have: writing to a
// file fails, ending the process traps. With these the component imports what its world offers.

#include <stdint.h>

enum { NOT_SUPPORTED = 58 };

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t file) {
  (void)file;
  return NOT_SUPPORTED;
}

int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t file, int64_t offset, int32_t whence,
                                                  int32_t position) {
  (void)file, (void)offset, (void)whence, (void)position;
  return NOT_SUPPORTED;
}

int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t file, int32_t pieces, int32_t count,
                                                   int32_t written) {
  (void)file, (void)pieces, (void)count, (void)written;
  return NOT_SUPPORTED;
}

_Noreturn void __imported_wasi_snapshot_preview1_proc_exit(int32_t code) {
  (void)code;
  __builtin_trap();
}
