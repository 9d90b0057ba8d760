package dev.duoka.ffi.nvml;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Tells apart what a device does not offer, which is empty, from what is broken, which throws. */
final class NvmlReader {
  private static final int TIMEOUT = 10;
  private static final int GPU_IS_LOST = 15;
  private static final int RESET_REQUIRED = 16;

  /**
   * Codes that mean "this device, driver or user does not have that": invalid argument (a link or
   * clock that does not exist), not supported, no permission, not found, function not found, no
   * data, argument version mismatch, deprecated, not ready.
   */
  private static final Set<Integer> NOT_OFFERED = Set.of(2, 3, 4, 6, 13, 21, 25, 26, 27);

  private final NvmlCalls calls;

  NvmlReader(NvmlCalls calls) {
    this.calls = calls;
  }

  /** The reply, or empty where this is not offered. */
  Optional<NvmlReply> read(NvmlFunction function, long... arguments) {
    NvmlReply reply = calls.call(function, arguments);
    return offered(reply.code(), function.symbol()) ? Optional.of(reply) : Optional.empty();
  }

  /** The one number of a reply. */
  Optional<Long> number(NvmlFunction function, long... arguments) {
    return read(function, arguments).map(reply -> reply.number(0));
  }

  /** The text of a reply; an empty one counts as absent. */
  Optional<String> text(NvmlFunction function, long... arguments) {
    return read(function, arguments).map(NvmlReply::text).filter(text -> !text.isBlank());
  }

  /** The value of a field; empty where it is not offered. */
  Optional<Long> field(long device, int id, int scope) {
    NvmlReply reply = calls.field(device, id, scope);
    return offered(reply.code(), "nvmlDeviceGetFieldValues")
        ? Optional.of(reply.number(0))
        : Optional.empty();
  }

  /** The processes on a device. */
  Optional<NvmlCalls.Processes> processes(long device) {
    NvmlCalls.Processes processes = calls.processes(device);
    return offered(processes.code(), "nvmlDeviceGetComputeRunningProcesses_v3")
        ? Optional.of(processes)
        : Optional.empty();
  }

  /** What a device did between two samples, by metric; empty where that is not offered. */
  Map<Integer, Double> gpm(long before, long after, List<Integer> ids) {
    NvmlCalls.GpmValues values = calls.gpm(before, after, ids);
    return offered(values.code(), "nvmlGpmMetricsGet") ? values.values() : Map.of();
  }

  /** The next event of a set; empty where nothing has happened, or events are not offered. */
  Optional<NvmlReply> event(long set) {
    NvmlReply reply = calls.call(NvmlFunction.EVENT_SET_WAIT, set);
    return reply.code() != TIMEOUT && offered(reply.code(), NvmlFunction.EVENT_SET_WAIT.symbol())
        ? Optional.of(reply)
        : Optional.empty();
  }

  private boolean offered(int code, String symbol) {
    if (code == NvmlReply.SUCCESS) {
      return true;
    }
    if (NOT_OFFERED.contains(code)) {
      return false;
    }
    throw new DuokaException(
        code == GPU_IS_LOST || code == RESET_REQUIRED ? ErrorCode.DEVICE : ErrorCode.NATIVE_CALL,
        symbol + " failed: " + calls.describe(code) + " (" + code + ")",
        switch (code) {
          case GPU_IS_LOST ->
              "The GPU fell off the bus: look for Xid messages in the kernel log and reboot";
          case RESET_REQUIRED -> "Stop all programs on the GPU and run nvidia-smi --gpu-reset";
          default -> "Check that nvidia-smi works";
        });
  }
}
