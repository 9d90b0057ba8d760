package dev.duoka.doctor.check;

import static dev.duoka.doctor.check.Faults.busy;
import static dev.duoka.doctor.check.Faults.fault;
import static dev.duoka.doctor.check.Severity.ERROR;
import static dev.duoka.doctor.check.Severity.NOTE;
import static dev.duoka.doctor.check.Severity.WARNING;

import dev.duoka.machine.testing.FakeMachine;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Faults of single cards. */
final class CardFaults {
  private CardFaults() {}

  static Stream<Arguments> all() {
    return Stream.of(
        fault("ecc", ERROR, m -> m.cards.get(2).volatileUncorrected = "3"),
        fault("ecc", ERROR, m -> m.cards.get(2).sramThreshold = "Yes"),
        fault("ecc", NOTE, m -> m.cards.get(2).aggregateUncorrected = "2"),
        fault("ecc", NOTE, m -> m.cards.get(2).ecc = "Disabled"),
        fault("row-remap", ERROR, m -> m.cards.get(2).remapFailed = "Yes"),
        fault("row-remap", WARNING, m -> m.cards.get(2).remapPending = "Yes"),
        fault("retired-pages", ERROR, m -> retired(m.cards.get(1), "2", "61", "No")),
        fault("retired-pages", WARNING, m -> retired(m.cards.get(1), "1", "0", "Yes")),
        fault("retired-pages", NOTE, m -> retired(m.cards.get(1), "1", "1", "No")),
        fault(
            "xid",
            ERROR,
            m ->
                m.kernelLog.add(
                    "[ 5.1] NVRM: Xid (PCI:0000:10:00): 79, pid=1, GPU has fallen off the bus.")),
        fault(
            "xid",
            NOTE,
            m -> m.kernelLog.add("[ 5.1] NVRM: Xid (PCI:0000:13:00): 45, pid=77, Ch 00000008")),
        fault(
            "xid",
            WARNING,
            m -> m.kernelLog.add("[ 5.1] NVRM: Xid (PCI:0000:13:00): 987, something new")),
        fault(
            "xid",
            ERROR,
            m ->
                m.kernelLog.add(
                    "[ 5.1] nvidia-nvswitch0: SXid (PCI:0000:86:00.0): 20009, Fatal, Link 27 RX"
                        + " Short Error Rate")),
        fault("recovery", ERROR, m -> m.cards.get(0).recovery = "Drain and Reset"),
        fault("power-cap", WARNING, m -> m.cards.forEach(card -> card.powerLimit = "400.00 W")),
        fault("power-cap", NOTE, m -> m.cards.get(0).powerLimit = "650.00 W"),
        fault("throttle", ERROR, m -> m.cards.get(0).powerBrake = "Active"),
        fault("throttle", ERROR, m -> m.cards.get(0).hardwareThermal = "Active"),
        fault("throttle", WARNING, m -> m.cards.get(0).softwareThermal = "Active"),
        fault("temperature", WARNING, m -> m.cards.get(0).temperature = "91 C"),
        fault("persistence", NOTE, m -> m.cards.get(0).persistence = "Disabled"),
        fault(
            "clocks",
            WARNING,
            m -> {
              busy(m.cards.get(0));
              m.cards.get(0).clock = "900 MHz";
            }),
        fault(
            "clocks",
            WARNING,
            m -> {
              m.cards.get(0).application = "1095 MHz";
              m.cards.get(0).applicationDefault = "1410 MHz";
            }),
        fault("compute-mode", ERROR, m -> m.cards.get(0).computeMode = "Prohibited"),
        fault("compute-mode", WARNING, m -> m.cards.get(0).computeMode = "Exclusive_Thread"),
        fault("compute-mode", NOTE, m -> m.cards.get(0).computeMode = "Exclusive_Process"),
        fault("mig", WARNING, m -> m.cards.get(0).mig = "Enabled"),
        fault("other-processes", NOTE, m -> m.cards.get(0).memoryUsed = "40000 MiB"),
        fault("mixed-gpus", WARNING, m -> m.cards.get(7).name = "NVIDIA H200"));
  }

  private static void retired(
      FakeMachine.Card card, String singles, String doubles, String pending) {
    card.retiredSingle = singles;
    card.retiredDouble = doubles;
    card.retiredPending = pending;
  }
}
