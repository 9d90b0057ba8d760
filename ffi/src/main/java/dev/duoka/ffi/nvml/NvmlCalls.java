package dev.duoka.ffi.nvml;

import java.util.List;
import java.util.Map;

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

  /**
   * What a device did between two samples.
   *
   * @param before handle of the earlier sample
   * @param after handle of the later one
   * @param ids which metrics, {@code nvmlGpmMetricId_t}
   */
  GpmValues gpm(long before, long after, List<Integer> ids);

  /** NVML's words for a code. */
  String describe(int code);

  /** The processes, unless the code says that they could not be listed. */
  record Processes(int code, List<GpuProcess> list) {
    public Processes {
      list = List.copyOf(list);
    }
  }

  /** Values by the ids of their metrics, those that the device has; none unless the code is 0. */
  record GpmValues(int code, Map<Integer, Double> values) {
    public GpmValues {
      values = Map.copyOf(values);
    }
  }

  /** A process by its id on the host, and the device memory it uses in bytes; −1 when unknown. */
  record GpuProcess(long pid, long usedMemory) {}
}
