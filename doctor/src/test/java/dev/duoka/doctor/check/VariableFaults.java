package dev.duoka.doctor.check;

import static dev.duoka.doctor.check.Faults.fault;
import static dev.duoka.doctor.check.Severity.ERROR;
import static dev.duoka.doctor.check.Severity.NOTE;
import static dev.duoka.doctor.check.Severity.WARNING;

import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Faults of environment variables. */
final class VariableFaults {
  private VariableFaults() {}

  static Stream<Arguments> all() {
    return Stream.of(
        fault("nccl-variables", WARNING, m -> m.environment.put("NCCL_BLOCKING_WAIT", "1")),
        fault("nccl-variables", NOTE, m -> m.environment.put("NCCL_SOCKET_NTHREADS", "4")),
        fault("nccl-variables", WARNING, m -> m.environment.put("NCCL_P2P_LEVLE", "NVL")),
        fault("cuda-variables", ERROR, m -> m.environment.put("CUDA_VISIBLE_DEVICES", "-1")),
        fault("cuda-variables", ERROR, m -> m.environment.put("CUDA_VISIBLE_DEVICES", "0,1,99")),
        fault("cuda-variables", ERROR, m -> m.environment.put("CUDA_VISIBLE_DEVICES", "98,99")),
        fault("cuda-variables", NOTE, m -> m.environment.put("NVIDIA_VISIBLE_DEVICES", "void")),
        fault("cuda-variables", WARNING, m -> m.environment.put("OMP_NUM_THREADS", "abc")),
        fault(
            "cuda-variables",
            ERROR,
            m -> m.environment.put("PYTORCH_CUDA_ALLOC_CONF", "max_split_size_mb:abc")),
        fault("cuda-variables", WARNING, m -> m.environment.put("CUDA_LAUNCH_BLOCKING", "1")),
        fault("cuda-variables", NOTE, m -> m.environment.put("CUDA_VISIBLE_DEVICES", "0,1")),
        fault(
            "cuda-variables",
            ERROR,
            m -> m.environment.put("LD_LIBRARY_PATH", "/usr/local/cuda/lib64/stubs")));
  }
}
