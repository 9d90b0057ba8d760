package dev.duoka.ffi.nvml;

import java.util.List;

/**
 * NVML as the logic sees it: codes and plain values; a test puts a made-up machine in its place.
 */
interface NvmlCalls {
  /** NVML's code for a function that the library does not have. */
  int FUNCTION_NOT_FOUND = 13;

  /**
   * Calls a function.
   *
   * @param arguments the values of its inputs in order
   * @return its results, or the code {@link #FUNCTION_NOT_FOUND} when the library lacks it
   */
  NvmlReply call(NvmlFunction function, long... arguments);

  /** The compute processes on a device. */
  Processes processes(long device);

  /**
   * One whole number by the id of its field, for example a counter of traffic.
   *
   * @param scope which of its parts, for example a link; -1 for all
   */
  NvmlReply field(long device, int id, int scope);

  /** NVML's words for a code. */
  String describe(int code);

  /** The processes, unless the code says that they could not be listed. */
  record Processes(int code, List<GpuProcess> list) {
    public Processes {
      list = List.copyOf(list);
    }
  }

  /** A process by its id on the host, and the device memory it uses in bytes; −1 when unknown. */
  record GpuProcess(long pid, long usedMemory) {}
}
