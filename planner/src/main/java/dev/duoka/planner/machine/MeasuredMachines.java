package dev.duoka.planner.machine;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.Card;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.machine.topology.Gpu;
import dev.duoka.machine.topology.Topology;
import java.util.List;
import java.util.Optional;

/** Brings machines and what was measured on one together. */
public final class MeasuredMachines {
  private MeasuredMachines() {}

  /** The machine that a profile is of, connected as such cards usually are. */
  public static Machine of(MachineProfile profile, Catalogue catalogue) {
    if (profile.cards().isEmpty()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the profile is of a CPU alone",
          "Plans are for GPUs: run 'duoka calibrate' on a machine that has some.");
    }
    Card card = card(profile, catalogue);
    int alike = alike(profile, card, catalogue);
    if (alike < profile.cards().size()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the profile is of different cards: " + profile.title(),
          "The slowest and the smallest of them would decide. Plan for the equal ones alone: add"
              + " --machine "
              + alike
              + "x"
              + card.name()
              + ".");
    }
    return catalogue.machine(card, alike).measured(profile);
  }

  /**
   * A machine with a profile laid over it, which may be of fewer or more cards of its kind. Of a
   * profile of different cards the first ones count: products are those of the first card, and
   * exchanges of few cards are among the first.
   *
   * @throws DuokaException when its cards are others, or more than the first ones of its kind
   */
  public static Machine of(Machine machine, MachineProfile profile, Catalogue catalogue) {
    if (profile.cards().isEmpty() || !card(profile, catalogue).equals(machine.card())) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the profile is of "
              + (profile.cards().isEmpty() ? "a CPU" : profile.cards().getFirst())
              + ", the machine has "
              + machine.card().name(),
          "Leave out --profile, or name a machine of its cards.");
    }
    int alike = alike(profile, machine.card(), catalogue);
    if (alike < profile.cards().size() && machine.gpus() > alike) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "of the profile's cards only the first "
              + alike
              + " are "
              + machine.card().name()
              + ", not "
              + machine.gpus()
              + ": "
              + profile.title(),
          "Plan for " + alike + " of them, or leave out --profile.");
    }
    return machine.measured(profile);
  }

  /** Whether a profile was made with just the cards that a topology shows. */
  public static boolean isOf(MachineProfile profile, Topology here) {
    List<String> names = here.gpus().stream().map(Gpu::name).flatMap(Optional::stream).toList();
    return !names.isEmpty() && names.equals(profile.cards());
  }

  /** How many of the first cards are of one kind. */
  private static int alike(MachineProfile profile, Card card, Catalogue catalogue) {
    return (int)
        profile.cards().stream()
            .takeWhile(name -> catalogue.cardOfDevice(name).filter(card::equals).isPresent())
            .count();
  }

  private static Card card(MachineProfile profile, Catalogue catalogue) {
    String name = profile.cards().getFirst();
    return catalogue
        .cardOfDevice(name)
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CONFIG,
                    "the catalogue has no card '" + name + "', which the profile is of",
                    "Add it to a file and give that with --catalogue."));
  }
}
