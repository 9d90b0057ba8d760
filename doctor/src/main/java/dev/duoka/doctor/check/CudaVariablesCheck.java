package dev.duoka.doctor.check;

import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/** Variables that were set for an experiment once and stayed. */
final class CudaVariablesCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "cuda-variables",
          "Environment variables of CUDA and PyTorch",
          "the environment",
          "error for values that stop training, warning for those that slow it down, a note for the"
              + " others");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<SortedMap<String, String>> environment =
        out.known("environment", machine.machine().environment());
    if (environment.isEmpty()) {
      return;
    }
    Map<String, String> set = environment.get();
    if ("1".equals(set.get("CUDA_LAUNCH_BLOCKING"))) {
      out.warning(
          "CUDA_LAUNCH_BLOCKING=1",
          "every kernel waits for the one before: training is several times slower",
          "unset CUDA_LAUNCH_BLOCKING");
    }
    VariableValues.examine(set, machine, out);
    String path = set.getOrDefault("LD_LIBRARY_PATH", "");
    if (path.contains("/stubs")) {
      out.error(
          "LD_LIBRARY_PATH holds a folder of stubs: " + path,
          "the stub of libcuda.so is loaded instead of the driver (CUDA_ERROR_STUB_LIBRARY, 34)",
          "export LD_LIBRARY_PATH=$(echo $LD_LIBRARY_PATH | tr ':' '\\n"
              + "' | grep -v stubs | paste -sd:)");
    }
    if (path.contains("/compat")) {
      out.note(
          "LD_LIBRARY_PATH holds CUDA's compatibility libraries: " + path,
          "they run newer programs on an older data-centre driver, and fail (803, 804) on other"
              + " cards or beside a newer driver",
          "unset LD_LIBRARY_PATH   # where the driver is new enough");
    }
    if ("1".equals(set.get("OMP_NUM_THREADS"))
        && machine.host().processors().optional().orElse(0) > 2) {
      out.note(
          "OMP_NUM_THREADS=1",
          "work on the CPU, such as the optimizer when it is offloaded, uses one core a rank;"
              + " torchrun sets this",
          "unset OMP_NUM_THREADS   # duoka sets its threads by 'threads' of the run file");
    }
    if ("1".equals(set.get("CUDA_DEVICE_MAX_CONNECTIONS"))) {
      out.note(
          "CUDA_DEVICE_MAX_CONNECTIONS=1",
          "kernels of different streams queue up in one line; Megatron wants that, duoka does not"
              + " need it",
          "unset CUDA_DEVICE_MAX_CONNECTIONS");
    }
    if ("0".equals(set.get("NVIDIA_TF32_OVERRIDE"))) {
      out.note(
          "NVIDIA_TF32_OVERRIDE=0",
          "matrix products in fp32 do not use tensor cores",
          "unset NVIDIA_TF32_OVERRIDE");
    }
  }
}
