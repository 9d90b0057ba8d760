package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Software;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Wheels for CUDA 12 and CUDA 13 side by side are the trace of an incomplete upgrade. */
final class CudaPackagesCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "cuda-packages",
          "NVIDIA packages of one CUDA version",
          "packages in each environment",
          "warning when packages for two major versions of CUDA are in one environment");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<List<Software.PythonPackage>> packages =
        out.known("packages", machine.machine().software().packages());
    Map<String, Set<String>> majors = new TreeMap<>();
    for (Software.PythonPackage known : packages.orElse(List.of())) {
      Matcher matcher = SUFFIX.matcher(known.name());
      if (matcher.matches()) {
        majors.computeIfAbsent(known.place(), _ -> new TreeSet<>()).add(matcher.group(1));
      }
    }
    majors.forEach(
        (place, found) -> {
          if (found.size() > 1) {
            out.warning(
                place + " holds NVIDIA packages for CUDA " + String.join(" and ", found),
                "the folders of both lie side by side; a library of the wrong one may be found"
                    + " first",
                "pip list | grep -E 'nvidia-.*-cu"
                    + found.iterator().next()
                    + "' | awk '{print $1}' | xargs pip uninstall -y && pip install"
                    + " --force-reinstall torch");
          }
        });
  }

  private static final Pattern SUFFIX =
      Pattern.compile("nvidia-(?:cudnn|nccl|cublas|cuda-runtime|cusparselt|nvshmem)-cu(\\d{2})");
}
