package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The C functions of the CUDA driver API, one field per symbol, as {@code cuda.h} declares them;
 * with the suffix {@code _v2} wherever the header maps the plain name to it.
 *
 * <p>Handles and device addresses travel as {@code long}, a {@code CUdevice} is an {@code int}.
 * Every function returns a {@code CUresult}.
 */
final class CudaFunctions {
  final MethodHandle init;
  final MethodHandle driverVersion;
  final MethodHandle errorName;
  final MethodHandle errorString;

  final MethodHandle deviceCount;
  final MethodHandle device;
  final MethodHandle deviceName;
  final MethodHandle deviceUuid;
  final MethodHandle deviceTotalMemory;
  final MethodHandle deviceAttribute;
  final MethodHandle devicePciBusId;
  final MethodHandle deviceCanAccessPeer;

  final MethodHandle retainPrimaryContext;
  final MethodHandle setCurrentContext;
  final MethodHandle currentContext;
  final MethodHandle memoryInfo;

  final MethodHandle createEvent;
  final MethodHandle recordEvent;
  final MethodHandle queryEvent;
  final MethodHandle synchronizeEvent;
  final MethodHandle elapsedTime;
  final MethodHandle destroyEvent;
  final MethodHandle createStream;
  final MethodHandle createStreamWithPriority;
  final MethodHandle streamPriorities;
  final MethodHandle destroyStream;
  final MethodHandle synchronizeStream;
  final MethodHandle waitForEvent;
  final MethodHandle waitForValue;

  final MethodHandle copyToDevice;
  final MethodHandle copyToHost;
  final MethodHandle copyRows;
  final MethodHandle lockHostPages;
  final MethodHandle unlockHostPages;
  final MethodHandle allocate;
  final MethodHandle free;
  final MethodHandle copyOnDevice;
  final MethodHandle copyToPeer;
  final MethodHandle enablePeerAccess;
  final MethodHandle disablePeerAccess;

  final MethodHandle loadModule;
  final MethodHandle moduleFunction;
  final MethodHandle setFunctionAttribute;
  final MethodHandle functionAttribute;
  final MethodHandle launchKernel;

  /** Missing in drivers before CUDA 12. */
  final Optional<MethodHandle> encodeTensorMap;

  private final NativeFunctions library;

  CudaFunctions(SymbolLookup symbols) {
    library = new NativeFunctions("the CUDA driver (libcuda)", symbols);
    init = bind("cuInit", JAVA_INT);
    driverVersion = bind("cuDriverGetVersion", ADDRESS);
    errorName = bind("cuGetErrorName", JAVA_INT, ADDRESS);
    errorString = bind("cuGetErrorString", JAVA_INT, ADDRESS);

    deviceCount = bind("cuDeviceGetCount", ADDRESS);
    device = bind("cuDeviceGet", ADDRESS, JAVA_INT);
    deviceName = bind("cuDeviceGetName", ADDRESS, JAVA_INT, JAVA_INT);
    deviceUuid = bind("cuDeviceGetUuid_v2", ADDRESS, JAVA_INT);
    deviceTotalMemory = bind("cuDeviceTotalMem_v2", ADDRESS, JAVA_INT);
    deviceAttribute = bind("cuDeviceGetAttribute", ADDRESS, JAVA_INT, JAVA_INT);
    devicePciBusId = bind("cuDeviceGetPCIBusId", ADDRESS, JAVA_INT, JAVA_INT);
    deviceCanAccessPeer = bind("cuDeviceCanAccessPeer", ADDRESS, JAVA_INT, JAVA_INT);

    retainPrimaryContext = bind("cuDevicePrimaryCtxRetain", ADDRESS, JAVA_INT);
    setCurrentContext = bind("cuCtxSetCurrent", JAVA_LONG);
    currentContext = bind("cuCtxGetCurrent", ADDRESS);
    memoryInfo = bind("cuMemGetInfo_v2", ADDRESS, ADDRESS);

    createEvent = bind("cuEventCreate", ADDRESS, JAVA_INT);
    recordEvent = bind("cuEventRecord", JAVA_LONG, JAVA_LONG);
    queryEvent = bind("cuEventQuery", JAVA_LONG);
    synchronizeEvent = bind("cuEventSynchronize", JAVA_LONG);
    // cuda.h of 13 maps it to _v2, which drivers before 12.8 lack; the plain symbol is in all.
    elapsedTime = bind("cuEventElapsedTime", ADDRESS, JAVA_LONG, JAVA_LONG);
    destroyEvent = bind("cuEventDestroy_v2", JAVA_LONG);
    createStream = bind("cuStreamCreate", ADDRESS, JAVA_INT);
    createStreamWithPriority = bind("cuStreamCreateWithPriority", ADDRESS, JAVA_INT, JAVA_INT);
    streamPriorities = bind("cuCtxGetStreamPriorityRange", ADDRESS, ADDRESS);
    destroyStream = bind("cuStreamDestroy_v2", JAVA_LONG);
    synchronizeStream = bind("cuStreamSynchronize", JAVA_LONG);
    waitForEvent = bind("cuStreamWaitEvent", JAVA_LONG, JAVA_LONG, JAVA_INT);

    waitForValue = bind("cuStreamWaitValue32_v2", JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_INT);

    copyToDevice = bind("cuMemcpyHtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    copyToHost = bind("cuMemcpyDtoHAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    copyRows = bind("cuMemcpy2DAsync_v2", ADDRESS, JAVA_LONG);
    lockHostPages = bind("cuMemHostRegister_v2", JAVA_LONG, JAVA_LONG, JAVA_INT);
    unlockHostPages = bind("cuMemHostUnregister", JAVA_LONG);

    allocate = bind("cuMemAlloc_v2", ADDRESS, JAVA_LONG);
    free = bind("cuMemFree_v2", JAVA_LONG);
    copyOnDevice = bind("cuMemcpyDtoDAsync_v2", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    copyToPeer =
        bind("cuMemcpyPeerAsync", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    enablePeerAccess = bind("cuCtxEnablePeerAccess", JAVA_LONG, JAVA_INT);
    disablePeerAccess = bind("cuCtxDisablePeerAccess", JAVA_LONG);

    loadModule = bind("cuModuleLoadData", ADDRESS, ADDRESS);
    moduleFunction = bind("cuModuleGetFunction", ADDRESS, JAVA_LONG, ADDRESS);
    setFunctionAttribute = bind("cuFuncSetAttribute", JAVA_LONG, JAVA_INT, JAVA_INT);
    functionAttribute = bind("cuFuncGetAttribute", ADDRESS, JAVA_INT, JAVA_LONG);
    launchKernel =
        bind(
            "cuLaunchKernel",
            JAVA_LONG,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_INT,
            JAVA_LONG,
            ADDRESS,
            ADDRESS);
    encodeTensorMap =
        library.optional(
            "cuTensorMapEncodeTiled",
            FunctionDescriptor.of(
                JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS,
                ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
  }

  private MethodHandle bind(String name, MemoryLayout... arguments) {
    return library.required(name, FunctionDescriptor.of(JAVA_INT, arguments));
  }
}
