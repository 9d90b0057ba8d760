package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * The C functions of NVRTC, one field per symbol, as {@code nvrtc.h} declares them. A program
 * travels as {@code long}; every function but one returns an {@code nvrtcResult}.
 */
final class NvrtcFunctions {
  final MethodHandle errorString;
  final MethodHandle version;
  final MethodHandle supportedCount;
  final MethodHandle supported;
  final MethodHandle create;
  final MethodHandle compile;
  final MethodHandle destroy;
  final MethodHandle cubinSize;
  final MethodHandle cubin;
  final MethodHandle logSize;
  final MethodHandle log;

  private final NativeFunctions library;

  NvrtcFunctions(SymbolLookup symbols) {
    library = new NativeFunctions("NVRTC", symbols);
    errorString = library.required("nvrtcGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    version = bind("nvrtcVersion", ADDRESS, ADDRESS);
    supportedCount = bind("nvrtcGetNumSupportedArchs", ADDRESS);
    supported = bind("nvrtcGetSupportedArchs", ADDRESS);
    create = bind("nvrtcCreateProgram", ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
    compile = bind("nvrtcCompileProgram", JAVA_LONG, JAVA_INT, ADDRESS);
    destroy = bind("nvrtcDestroyProgram", ADDRESS);
    cubinSize = bind("nvrtcGetCUBINSize", JAVA_LONG, ADDRESS);
    cubin = bind("nvrtcGetCUBIN", JAVA_LONG, ADDRESS);
    logSize = bind("nvrtcGetProgramLogSize", JAVA_LONG, ADDRESS);
    log = bind("nvrtcGetProgramLog", JAVA_LONG, ADDRESS);
  }

  private MethodHandle bind(String name, MemoryLayout... arguments) {
    return library.required(name, FunctionDescriptor.of(JAVA_INT, arguments));
  }
}
