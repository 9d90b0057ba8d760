/**
 * LibTorch's C ABI: tensor handles, the operator dispatcher, and the few typed functions that the
 * dispatcher cannot replace.
 *
 * <p>Read {@link dev.duoka.ffi.torch.LibTorch} first (loading), then {@link
 * dev.duoka.ffi.torch.TensorHandle} (what a handle can be asked) and {@link
 * dev.duoka.ffi.torch.OperatorCall} (calling any ATen operator).
 *
 * <p>A handle is the address of a reference-counted ATen tensor. Every handle that a function here
 * returns belongs to the caller, who must {@link dev.duoka.ffi.torch.TensorHandle#delete} it once.
 * Nothing here checks shapes or dtypes: the tensor module does, with better messages.
 */
package dev.duoka.ffi.torch;
