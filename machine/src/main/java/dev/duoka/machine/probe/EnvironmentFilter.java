package dev.duoka.machine.probe;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Which environment variables are looked at and saved: those that steer CUDA, NCCL, PyTorch and the
 * threads, by their prefix; never one whose name or value looks like a secret.
 */
final class EnvironmentFilter {
  private static final List<String> PREFIXES =
      List.of(
          "NCCL",
          "NCL_",
          "NNCL_",
          "CUDA_",
          "CUDNN_",
          "CUBLAS_",
          "NVIDIA_",
          "TORCH_",
          "PYTORCH_",
          "OMP_",
          "KMP_",
          "MKL_NUM",
          "OPENBLAS_",
          "UCX_",
          "GLOO_",
          "FI_",
          "DUOKA_",
          "GOMP_");
  private static final Set<String> NAMES =
      Set.of(
          "LD_LIBRARY_PATH",
          "LD_PRELOAD",
          "PATH",
          "VIRTUAL_ENV",
          "CONDA_PREFIX",
          "CONDA_DEFAULT_ENV",
          "PYTHONPATH",
          "PYTHONNOUSERSITE",
          "SLURM_JOB_ID",
          "SLURM_NTASKS",
          "SLURM_CPUS_PER_TASK",
          "SLURM_GPUS",
          "SLURM_GPUS_ON_NODE",
          "SLURM_JOB_GPUS",
          "HOME",
          "XDG_CACHE_HOME",
          "container");
  private static final Pattern SECRET_NAME =
      Pattern.compile(
          ".*(TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE|AUTH|COOKIE|KEY_?FILE|KEY_?PATH|_KEY$|_CERT).*",
          Pattern.CASE_INSENSITIVE);

  /** Secrets themselves, and paths to files that usually are. */
  private static final Pattern SECRET_VALUE =
      Pattern.compile(
          ".*(://[^/\\s:@]+:[^/\\s@]+@|-----BEGIN|\\b(hf|sk|ghp|gho|glpat|nvapi|xox[bp])[-_]\\w{8,}"
              + "|/(?:secrets?|credentials?|\\.ssh|\\.aws|\\.gnupg|\\.netrc|\\.kube)(?:/|$)"
              + "|\\.(?:pem|key|pfx|p12|jks)$|\\bid_(?:rsa|dsa|ecdsa|ed25519)\\b).*",
          Pattern.DOTALL);

  private EnvironmentFilter() {}

  /** Whether a variable is of interest, by its name. */
  static boolean matters(String name) {
    return (NAMES.contains(name) || PREFIXES.stream().anyMatch(name::startsWith))
        && !SECRET_NAME.matcher(name).matches();
  }

  /** The variables of interest without those that look like secrets. */
  static SortedMap<String, String> filter(Map<String, String> environment) {
    SortedMap<String, String> kept = new TreeMap<>();
    environment.forEach(
        (name, value) -> {
          if (matters(name) && !SECRET_VALUE.matcher(value).matches()) {
            kept.put(name, value);
          }
        });
    return kept;
  }
}
