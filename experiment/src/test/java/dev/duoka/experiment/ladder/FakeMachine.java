package dev.duoka.experiment.ladder;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A machine of fast links and cards that rest, but for what a test plants. */
final class FakeMachine implements Surroundings {
  /** A card's number that computes for process 4711. */
  Optional<Integer> busy = Optional.empty();

  /** What the slowest collective carries, GB/s. */
  double bus = 300;

  /** Why exchanges are wrong. */
  Optional<String> wrong = Optional.empty();

  /** What a small likeness differs by, on meshes that name this. */
  Optional<String> wrongLikeness = Optional.empty();

  MachineFindings findings = MachineFindings.NONE;

  /** The meshes whose likeness was asked for. */
  final List<List<String>> asked = new ArrayList<>();

  @Override
  public List<BusyCard> busy(RungPlace place) {
    return busy.filter(card -> place.cards().contains("GPU-" + card)).stream()
        .map(card -> new BusyCard("GPU " + card, Optional.of(97), Map.of(4711L, 1L << 30)))
        .toList();
  }

  @Override
  public Exchanges exchanges(RungPlace place) {
    return new Exchanges(
        List.of(
            new Exchanges.Line("nccl", "all-gather", 64 << 20, 400, Optional.empty()),
            new Exchanges.Line(
                "nccl", "all-reduce", 64 << 20, wrong.isPresent() ? Double.NaN : bus, wrong)),
        Optional.empty());
  }

  @Override
  public Likeness likeness(List<String> mesh) {
    asked.add(mesh);
    boolean holds = wrongLikeness.filter(mesh::contains).isEmpty();
    return new Likeness(
        holds,
        "2 layers",
        holds ? List.of() : List.of("gradient of model.norm.weight"),
        List.of("all-reduce along data by nccl", "all-gather along tensor by nccl"));
  }

  @Override
  public MachineFindings machine() {
    return findings;
  }
}
