package dev.duoka.doctor.check;

import static org.junit.jupiter.api.Named.named;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.duoka.machine.testing.FakeMachine;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Faults of a machine, each with the check that must find it and how bad it is. */
final class Faults {
  private Faults() {}

  static Stream<Arguments> all() {
    return Stream.of(
            SoftwareFaults.all(),
            LinkFaults.all(),
            HostFaults.all(),
            CardFaults.all(),
            VariableFaults.all())
        .flatMap(faults -> faults);
  }

  static Arguments fault(String check, Severity severity, Consumer<FakeMachine> damage) {
    return arguments(check, severity, named(check + " " + severity.text(), damage));
  }

  static void busy(FakeMachine.Card card) {
    card.idle = "Not Active";
    card.utilization = "98 %";
    card.clock = "1980 MHz";
  }
}
