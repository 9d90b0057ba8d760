package dev.duoka.planner.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Machines of profiles. */
final class MeasuredMachinesTests {
  private static final Catalogue CATALOGUE = Catalogue.builtIn();
  private static final String H200 = "NVIDIA H200";
  private static final String A100 = "NVIDIA A100-SXM4-80GB";

  private static MachineProfile profile(List<String> cards) {
    return new MachineProfile(
        "2026-11-29T13:09:43Z",
        cards,
        Map.of(),
        75,
        8e-6,
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        Optional.empty());
  }

  private static List<String> first(int count, String card, int others, String other) {
    List<String> cards = new ArrayList<>(Collections.nCopies(count, card));
    cards.addAll(Collections.nCopies(others, other));
    return cards;
  }

  @Test
  void itsCardsAreTheMachines() {
    Machine machine = MeasuredMachines.of(profile(first(4, H200, 0, A100)), CATALOGUE);
    assertThat(machine.name()).isEqualTo("4xH200-141G-SXM");
    assertThat(machine.profile()).isPresent();
  }

  /** Half of them would be planned with memory that they do not have. */
  @Test
  void differentCardsAreNotPlannedAsIfAllWereTheFirst() {
    MachineProfile mixed = profile(first(2, H200, 2, A100));
    assertThatThrownBy(() -> MeasuredMachines.of(mixed, CATALOGUE))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("different cards: 2 x NVIDIA A100-SXM4-80GB, 2 x NVIDIA H200")
        .hasMessageContaining("--machine 2xH200-141G-SXM");
  }

  @ParameterizedTest
  @CsvSource({
    "2xH200, 2, 2, true",
    "1xH200, 2, 2, true",
    "4xH200, 2, 2, false",
    "2xH200, 1, 3, false",
    "2xA100-80G-SXM, 2, 2, false",
    "8xH200, 2, 0, true"
  })
  void ofDifferentCardsTheFirstCountAlone(String name, int first, int others, boolean fits) {
    MachineProfile profile = profile(first(first, H200, others, A100));
    Machine named = CATALOGUE.machine(name);
    if (fits) {
      assertThat(MeasuredMachines.of(named, profile, CATALOGUE).profile()).contains(profile);
    } else {
      assertThatThrownBy(() -> MeasuredMachines.of(named, profile, CATALOGUE))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("profile");
    }
  }
}
