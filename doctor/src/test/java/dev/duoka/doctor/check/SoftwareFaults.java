package dev.duoka.doctor.check;

import static dev.duoka.doctor.check.Faults.fault;
import static dev.duoka.doctor.check.Severity.ERROR;
import static dev.duoka.doctor.check.Severity.NOTE;
import static dev.duoka.doctor.check.Severity.WARNING;

import dev.duoka.machine.testing.FakeMachine;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Faults of driver, CUDA, libraries and packages. */
final class SoftwareFaults {
  private SoftwareFaults() {}

  static Stream<Arguments> all() {
    return Stream.of(
        fault("driver-module", ERROR, m -> m.module = "580.82.07"),
        fault(
            "driver-module",
            ERROR,
            m -> {
              m.files.put("root/proc/driver/nvidia/version", "nothing");
              m.kernelLog.add("[   12.3] NVRM: API mismatch: the client has the version 580.95.05");
            }),
        fault("lost-gpu", ERROR, m -> m.cardsOnBus = 9),
        fault(
            "lost-gpu",
            NOTE,
            m -> {
              m.cardsOnBus = 9;
              m.files.put("root/.dockerenv", "");
            }),
        fault("driver-cuda", ERROR, m -> version(m, "570.124.06", "12.8")),
        fault(
            "driver-cuda",
            NOTE,
            m -> {
              m.torch = "2.12.0+cu132";
              m.torchCuda = "13.2";
            }),
        fault("version-line", NOTE, m -> version(m, "580.10", "13.0")),
        fault(
            "version-line",
            WARNING,
            m -> {
              version(m, "525.125.06", "12.0");
              m.torchCuda = "12.0";
            }),
        fault(
            "version-line",
            ERROR,
            m -> {
              m.torch = "2.8.0+cu128";
              m.torchCuda = "12.8";
            }),
        fault("cudnn", ERROR, m -> replace(m, "libcudnn", "8.9.7")),
        fault("cudnn", WARNING, m -> replace(m, "libcudnn", "9.10.2")),
        fault("nccl-version", WARNING, m -> replace(m, "libnccl", "2.18.3")),
        fault("nccl-version", ERROR, m -> replace(m, "libnccl", "1.3.5")),
        fault("architectures", ERROR, m -> m.architectures = "sm_75 sm_80 sm_86 sm_120"),
        fault(
            "architectures",
            ERROR,
            m -> {
              m.architectures = "";
              m.torchCuda = "12.6";
              m.cards.forEach(card -> card.capability = "12.0");
            }),
        fault(
            "duplicate-torch",
            WARNING,
            m -> m.packages.add(FakeMachine.installed("pytorch", "2.1.0", "conda", "/opt/venv"))),
        fault(
            "duplicate-libraries",
            WARNING,
            m -> m.library("libcudnn", "9.20.0", "LD_LIBRARY_PATH")),
        fault(
            "duplicate-libraries",
            WARNING,
            m -> m.library("libnccl", "2.18.3", "conda in /opt/conda")),
        fault(
            "duplicate-libraries",
            NOTE,
            m -> m.library("libcudart", "12.8.90", "CUDA toolkit /usr/local/cuda")),
        fault(
            "cuda-packages",
            WARNING,
            m -> {
              m.packages.add(
                  FakeMachine.installed("nvidia-cudnn-cu12", "9.10.2.21", "pip", "/opt/venv"));
              m.packages.add(
                  FakeMachine.installed("nvidia-cudnn-cu13", "9.17.1.4", "pip", "/opt/venv"));
            }));
  }

  private static void version(FakeMachine machine, String driver, String cuda) {
    machine.driver = driver;
    machine.module = driver;
    machine.cuda = cuda;
  }

  private static void replace(FakeMachine machine, String library, String version) {
    machine.libraries.removeIf(copy -> copy.name().equals(library));
    machine.library(library, version, "the system");
  }
}
