/**
 * NVIDIA's library of collectives. {@link dev.duoka.ffi.nccl.Nccl} finds it, {@link
 * dev.duoka.ffi.nccl.NcclComm} is one rank's communicator. Source: {@code nccl.h} and the user
 * guide of github.com/NVIDIA/nccl.
 */
@NullMarked
package dev.duoka.ffi.nccl;

import org.jspecify.annotations.NullMarked;
