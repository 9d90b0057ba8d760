package dev.duoka.machine.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Made-up machines, printed, damaged and read: whatever is reported must be true of the machine,
 * and where nothing was lost, everything must be reported.
 */
class DamagedPasteTests {
  private static final int MACHINES = 120;

  static Stream<String> harmless() {
    return PasteDamage.HARMLESS.stream();
  }

  static Stream<String> harmful() {
    return PasteDamage.HARMFUL.stream();
  }

  @ParameterizedTest
  @MethodSource("harmless")
  void nothingIsLost(String way) {
    for (int seed = 0; seed < MACHINES; seed++) {
      Random random = new Random(seed);
      MadeUpMachine machine = MadeUpMachine.of(random);
      String text = PasteDamage.harmless(way, machine, random);
      String shown = way + ", seed " + seed + "\n" + text;
      Topology topology = TopologyReader.read(text, "paste");
      assertTrue(machine, topology, shown);
      assertThat(topology.gpus()).as(shown).hasSize(machine.gpus);
      assertThat(topology.links()).as(shown).hasSize(machine.gpus * (machine.gpus - 1) / 2);
      assertThat(topology.nics().stream().map(Nic::name)).as(shown).isEqualTo(machine.devices);
      for (Nic nic : topology.nics()) {
        assertThat(nic.links()).as(shown).hasSize(machine.gpus);
      }
      for (Gpu gpu : topology.gpus()) {
        boolean all = machine.titles >= 2 && !machine.cpus[gpu.index()].isEmpty();
        if (all) {
          assertThat(gpu.cpuAffinity()).as(shown).contains(machine.cpus[gpu.index()]);
          assertThat(gpu.numaNode().isPresent())
              .as(shown)
              .isEqualTo(!machine.numa[gpu.index()].equals("N/A"));
        }
      }
      if (Stream.of(machine.cpus).noneMatch(String::isEmpty)) {
        // What a matrix of peer access says beside it is no loss.
        assertThat(topology.warnings())
            .as(shown)
            .allMatch(warning -> warning.startsWith("No peer access between "));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("harmful")
  void nothingFalseIsSaid(String way) {
    int read = 0;
    for (int seed = 0; seed < MACHINES; seed++) {
      Random random = new Random(seed);
      MadeUpMachine machine = MadeUpMachine.of(random);
      String text = PasteDamage.harmful(way, machine, random);
      String shown = way + ", seed " + seed + "\n" + text;
      Topology topology;
      try {
        topology = TopologyReader.read(text, "paste");
      } catch (DuokaException _) {
        continue;
      }
      assertTrue(machine, topology, shown);
      int pairs = machine.gpus * (machine.gpus - 1) / 2;
      if (topology.links().size() < pairs) {
        assertThat(topology.warnings()).as(shown).isNotEmpty();
      }
      read += topology.links().size();
    }
    assertThat(read).isPositive();
  }

  private static void assertTrue(MadeUpMachine machine, Topology topology, String shown) {
    assertThat(topology.gpus().size()).as(shown).isLessThanOrEqualTo(machine.gpus);
    topology
        .links()
        .forEach(
            (pair, link) ->
                assertThat(link.label())
                    .as(pair + " in " + shown)
                    .isEqualTo(machine.cells[pair.first()][pair.second()]));
    for (Gpu gpu : topology.gpus()) {
      Optional<String> cpus = gpu.cpuAffinity();
      cpus.ifPresent(text -> assertThat(text).as(shown).isEqualTo(machine.cpus[gpu.index()]));
      if (gpu.numaNode().isPresent()) {
        assertThat(Integer.toString(gpu.numaNode().getAsInt()))
            .as("node of " + gpu.index() + " in " + shown)
            .isEqualTo(machine.numa[gpu.index()]);
      }
    }
    List<String> labels = machine.names.subList(machine.gpus, machine.names.size());
    for (Nic nic : topology.nics()) {
      int at = labels.indexOf(nic.label());
      assertThat(at).as(nic.label() + " in " + shown).isNotNegative();
      nic.device().ifPresent(name -> assertThat(name).as(shown).isEqualTo(machine.devices.get(at)));
      nic.links()
          .forEach(
              (gpu, link) ->
                  assertThat(link.label())
                      .as(nic.label() + " to " + gpu + " in " + shown)
                      .isEqualTo(machine.cells[machine.gpus + at][gpu]));
    }
  }
}
