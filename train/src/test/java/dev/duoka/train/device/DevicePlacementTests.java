package dev.duoka.train.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.comm.launch.Neighbours;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.DeviceChoice;
import java.util.List;
import org.junit.jupiter.api.Test;

final class DevicePlacementTests {
  private static Mesh mesh(int data) {
    return new Mesh(1, 1, data, 1, 1, 1);
  }

  @Test
  void aProcessKnowsTheDevicesOfItsOwnRanks() {
    DevicePlacement placement =
        DevicePlacement.choose(
            DeviceChoice.parse("cpu"), mesh(8), new RankRange(4, 2, 8), new Neighbours(2, 4));
    assertThat(placement.devices()).hasSize(2);
    assertThat(placement.of(5)).isEqualTo(Device.CPU);
  }

  @Test
  void processesOfAMachineTakeItsGpusInTheirOrder() {
    assertThat(
            DevicePlacement.seen(new RankRange(6, 2, 8), new Neighbours(3, 4), 8, false, mesh(8)))
        .isEqualTo(new DevicePlacement.Seen(6, 8));
    assertThat(DevicePlacement.seen(RankRange.all(4), Neighbours.NONE, 8, true, mesh(4)))
        .isEqualTo(new DevicePlacement.Seen(0, 4));
  }

  @Test
  void aProcessThatWasGivenItsOwnGpusTakesThose() {
    assertThat(DevicePlacement.seen(new RankRange(3, 1, 4), new Neighbours(3, 4), 1, true, mesh(4)))
        .isEqualTo(new DevicePlacement.Seen(0, 1));
  }

  @Test
  void tooFewGpusAreRefused() {
    assertThatThrownBy(
            () ->
                DevicePlacement.seen(
                    new RankRange(3, 1, 4), new Neighbours(3, 4), 2, false, mesh(4)))
        .hasMessageContaining("4 ranks of 4 processes here want a GPU each, but this machine has 2")
        .hasMessageContaining("Nearest valid: parallel {data: 2}");
    assertThatThrownBy(
            () ->
                DevicePlacement.seen(
                    RankRange.all(8), Neighbours.NONE, 4, true, new Mesh(1, 1, 4, 1, 2, 8)))
        .hasMessageContaining("8 ranks want a GPU each, but this machine has 4")
        .hasMessageContaining("Nearest valid: parallel {tensor: 2, expert: 4, data: 2}");
  }

  @Test
  void saysWhichCardsAreUnlikeAndWhichCannotReachEachOther() {
    DevicePlacement three =
        new DevicePlacement(
            0,
            List.of(Device.cuda(0), Device.cuda(1), Device.cuda(2)),
            List.of("H100", "H100", "A100"),
            "");
    assertThat(three.notices((from, to) -> from.index() != 1 || to.index() != 2))
        .satisfiesExactly(
            unlike -> assertThat(unlike).contains("(H100, A100)", "the slowest"),
            pair -> assertThat(pair).startsWith("cuda:1 and cuda:2 cannot reach"));
    DevicePlacement alike =
        new DevicePlacement(
            0, List.of(Device.cuda(0), Device.cuda(1)), List.of("H100", "H100", "A100"), "");
    assertThat(alike.notices((_, _) -> true)).isEmpty();
    DevicePlacement shared =
        new DevicePlacement(
            0, List.of(Device.cuda(2), Device.cuda(2)), List.of("H100", "H100", "A100"), "");
    assertThat(shared.notices((_, _) -> false)).isEmpty();
    assertThat(
            new DevicePlacement(0, List.of(Device.CPU, Device.CPU), List.of(), "")
                .notices((_, _) -> false))
        .isEmpty();
  }
}
