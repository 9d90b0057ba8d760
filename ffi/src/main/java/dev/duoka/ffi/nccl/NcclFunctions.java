package dev.duoka.ffi.nccl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The C functions of NCCL, one field per symbol, as {@code nccl.h} declares them. Communicators,
 * streams and device pointers travel as {@code long}; {@code ncclUniqueId} goes by value.
 */
final class NcclFunctions {
  /** {@code ncclUniqueId}. */
  static final StructLayout UNIQUE_ID =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(NcclId.BYTES, JAVA_BYTE));

  final MethodHandle version;
  final MethodHandle uniqueId;
  final MethodHandle initRank;
  final MethodHandle split;
  final MethodHandle asyncError;
  final MethodHandle abort;
  final MethodHandle finish;
  final MethodHandle destroy;
  final MethodHandle errorString;
  final MethodHandle lastError;
  final MethodHandle allReduce;
  final MethodHandle reduceScatter;
  final MethodHandle allGather;
  final MethodHandle broadcast;
  final MethodHandle send;
  final MethodHandle receive;
  final MethodHandle groupStart;
  final MethodHandle groupEnd;

  private final NativeFunctions library;

  NcclFunctions(SymbolLookup symbols) {
    library = new NativeFunctions("NCCL", symbols);
    version = bind("ncclGetVersion", ADDRESS);
    uniqueId = bind("ncclGetUniqueId", ADDRESS);
    initRank = bind("ncclCommInitRankConfig", ADDRESS, JAVA_INT, UNIQUE_ID, JAVA_INT, ADDRESS);
    split = bind("ncclCommSplit", JAVA_LONG, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS);
    asyncError = bind("ncclCommGetAsyncError", JAVA_LONG, ADDRESS);
    abort = bind("ncclCommAbort", JAVA_LONG);
    finish = bind("ncclCommFinalize", JAVA_LONG);
    destroy = bind("ncclCommDestroy", JAVA_LONG);
    errorString = library.required("ncclGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    lastError = library.required("ncclGetLastError", FunctionDescriptor.of(ADDRESS, JAVA_LONG));
    allReduce =
        bind(
            "ncclAllReduce",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG);
    reduceScatter =
        bind(
            "ncclReduceScatter",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG);
    allGather =
        bind("ncclAllGather", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    broadcast =
        bind(
            "ncclBroadcast",
            JAVA_LONG,
            JAVA_LONG,
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            JAVA_LONG);
    send = bind("ncclSend", JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    receive = bind("ncclRecv", JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    groupStart = bind("ncclGroupStart");
    groupEnd = bind("ncclGroupEnd");
  }

  private MethodHandle bind(String name, MemoryLayout... arguments) {
    return library.required(name, FunctionDescriptor.of(JAVA_INT, arguments));
  }
}
