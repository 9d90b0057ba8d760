package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import dev.duoka.machine.probe.PciDevice;
import dev.duoka.machine.probe.Reading;
import java.util.List;

/** A card that fell off the bus disappears from the driver's list. */
final class LostGpuCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "lost-gpu",
          "Cards that the driver does not see",
          "PCI, NVML or nvidia-smi, kernel log",
          "error when PCI lists more cards than the driver, outside a container");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    if (machine.machine().gpus() instanceof Reading.Unknown<List<Gpu>>(String why)) {
      out.unseen("GPUs: " + why);
      onPciAlone(machine, out);
      return;
    }
    if (machine.machine().pci() instanceof Reading.Unknown<List<PciDevice>>(String why)) {
      out.unseen("PCI devices: " + why);
      return;
    }
    if (machine.gpus().isEmpty() && !machine.machine().live()) {
      onPciAlone(machine, out);
      return;
    }
    long cards = machine.pci(PciDevice.Kind.GPU);
    int seen = machine.gpus().size();
    if (cards <= seen || seen == 0) {
      return; // without a single GPU the driver check speaks
    }
    String evidence = cards + " NVIDIA cards on the PCI bus, " + seen + " in the driver";
    if (machine.inContainer()) {
      out.note(
          evidence,
          "this container was given a part of the machine",
          "docker run --gpus all …   # for all of it");
    } else {
      out.error(
          evidence,
          "a card fell off the bus, failed to start or is bound to another driver (vfio-pci)",
          "sudo dmesg | grep -i -E 'xid|nvrm'; lspci -nnk -d 10de:   # then power-cycle the"
              + " machine");
    }
  }

  private static void onPciAlone(Examination machine, Findings out) {
    long cards = machine.pci(PciDevice.Kind.GPU);
    if (cards > 0 && !machine.machine().live()) {
      out.note(
          cards + " NVIDIA cards on PCI; the driver's view was not captured",
          "most checks of the cards have nothing to look at",
          "./duoka doctor --capture DIR   # on that machine; or add the output of nvidia-smi -q");
    }
  }
}
