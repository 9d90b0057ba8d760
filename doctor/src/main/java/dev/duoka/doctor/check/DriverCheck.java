package dev.duoka.doctor.check;

import dev.duoka.ffi.library.LibrarySearch;
import dev.duoka.machine.probe.PciDevice;
import java.util.Optional;

/** Whether there is a driver at all. */
final class DriverCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "driver",
          "NVIDIA's driver",
          "NVML, nvidia-smi, PCI",
          "error when there are GPUs but no driver answers, or nothing to compute with on the CPU"
              + " either; a note when there is no GPU");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<String> version = machine.machine().driver().version().optional();
    if (version.isPresent()) {
      return;
    }
    long cards = machine.pci(PciDevice.Kind.GPU);
    String why = machine.machine().driver().version().why();
    if (cards > 0 && machine.machine().live()) {
      out.error(
          cards + " NVIDIA cards on the PCI bus, but no driver answers: " + why,
          "no program can use the GPUs",
          machine.inContainer()
              ? "start the container with the GPUs: docker run --gpus all …"
              : "sudo apt-get install nvidia-driver-580-server && sudo reboot");
    } else if (machine.machine().live() && !new LibrarySearch().findsAny()) {
      out.error(
          "no NVIDIA driver and no NVIDIA card: " + why + "; and no LibTorch to compute with",
          "nothing can be trained, generated or exported here: this program brings none, as that"
              + " of a bundle does not",
          "pip install torch, or name a torch/lib folder with DUOKA_LIBTORCH");
    } else if (machine.machine().live()) {
      out.note(
          "no NVIDIA driver and no NVIDIA card: " + why,
          "duoka computes on the CPU here; everything about GPUs was left out",
          "install NVIDIA's driver if this host has a GPU; without one there is nothing to do");
    } else {
      out.unseen("driver version: " + why);
    }
  }
}
