/**
 * Finds LibTorch and the CUDA libraries on this machine and says why one was chosen.
 *
 * <p>Read {@link dev.duoka.ffi.library.LibraryChoice} first (what is known of one installation),
 * then {@link dev.duoka.ffi.library.LibrarySearch} (the order in which they are considered) and
 * {@link dev.duoka.ffi.library.NativesCache} (where Maven's natives are unpacked). {@link
 * dev.duoka.ffi.library.NvidiaLibraries} finds NVRTC, NCCL and cuDNN beside it, {@link
 * dev.duoka.ffi.library.DeviceCode} reads for which cards a library was built, and {@link
 * dev.duoka.ffi.library.Presence} carries what a machine may lack.
 */
package dev.duoka.ffi.library;
