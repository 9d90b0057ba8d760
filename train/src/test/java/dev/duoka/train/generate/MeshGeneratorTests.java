package dev.duoka.train.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.device.DevicePlacement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A model that is shared out writes what the whole one writes. */
class MeshGeneratorTests {
  private static final long SEED = 7;
  private static final String PROMPT = "int x = ";

  @TempDir Path run;

  private MeshGenerator open(String mesh) {
    ParallelSettings parallel = MeshOption.parse(mesh);
    return new MeshGenerator(
        run,
        parallel,
        DevicePlacement.choose(DeviceChoice.parse("cpu"), parallel.mesh()),
        TinyRun::refuse);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tiny-llama | tensor=2",
        "tiny-llama | tensor=4",
        "tiny-llama | pipeline=2",
        "tiny-llama | tensor=2,pipeline=2",
        "tiny-moe | tensor=2",
        "tiny-moe | data=2,expert=2",
        "tiny-moe | tensor=2,expert=2",
        "tiny-v2 | tensor=2",
        "tiny-v2 | pipeline=2,tensor=2,expert=2",
        "tiny-v3 | tensor=2,pipeline=2",
        "tiny-v3 | data=2,tensor=2,expert=4",
      })
  void writesWhatOneRankWrites(String preset, String mesh) {
    TinyRun.save(run, TinyRun.config(preset), SEED);
    Generation alone;
    try (Generator generator = Generator.open(run, Device.CPU, Dtype.FLOAT32, TinyRun::refuse)) {
      alone = generator.generate(PROMPT, Sampling.greedy(24), _ -> {});
    }
    List<String> parts = new ArrayList<>();
    Generation shared = open(mesh).generate(PROMPT, Sampling.greedy(24), parts::add);
    assertThat(shared.tokens()).hasSizeGreaterThan(1).isEqualTo(alone.tokens());
    assertThat(shared.text()).isEqualTo(alone.text());
    assertThat(String.join("", parts)).isEqualTo(shared.text());
    assertThat(shared.end()).isEqualTo(alone.end());
  }

  @Test
  void aSeedDecidesTheTextOnAMeshToo() {
    TinyRun.save(run, TinyRun.config("tiny-moe"), SEED);
    Sampling first = new Sampling(2, 0, 1, 1, 16);
    Sampling second = new Sampling(2, 0, 1, 2, 16);
    List<Integer> tokens = open("tensor=2").generate("a", first, _ -> {}).tokens();
    assertThat(open("tensor=2").generate("a", first, _ -> {}).tokens()).isEqualTo(tokens);
    assertThat(open("tensor=2").generate("a", second, _ -> {}).tokens()).isNotEqualTo(tokens);
  }

  @Test
  void allRanksTogetherHaveOneModel() {
    TinyRun.save(run, TinyRun.config("tiny-v2"), SEED);
    long storages = MemoryLedger.of(Device.CPU).liveStorages();
    List<Long> weights = new ArrayList<>();
    open("pipeline=2").generate(PROMPT, Sampling.greedy(24), _ -> weights.add(liveWeights()));
    assertThat(MemoryLedger.of(Device.CPU).liveStorages()).isEqualTo(storages);
    long whole;
    try (Generator _ = Generator.open(run, Device.CPU, Dtype.FLOAT32, TinyRun::refuse)) {
      whole = liveWeights();
    }
    // The first rank's last words may come when the other one has ended.
    assertThat(Collections.max(weights)).isBetween(whole, whole * 21 / 20);
  }

  private static long liveWeights() {
    return MemoryLedger.of(Device.CPU).liveByOwner().getOrDefault(MemoryOwner.WEIGHTS, 0L);
  }

  @Test
  void whatTheListenerThrowsEndsAllRanks() {
    TinyRun.save(run, TinyRun.config("tiny-llama"), SEED);
    IllegalArgumentException enough = new IllegalArgumentException("enough");
    assertThatThrownBy(
            () ->
                open("tensor=2")
                    .generate(
                        PROMPT,
                        Sampling.greedy(24),
                        _ -> {
                          throw enough;
                        }))
        .isSameAs(enough);
  }

  @Test
  void theSampleOfARunIsWrittenByOneCopyOfItsModel() {
    TinyRun.save(run, TinyRun.config("tiny-v3"), SEED);
    RunConfig config =
        RunFile.parse(
            "run.yaml",
            """
            model: {preset: tiny-v3}
            data: {sources: [nowhere], sequence_length: 64}
            training: {tokens_per_step: 1024, steps: 3}
            parallel: {data: 2, tensor: 2, context: 2, expert: 2, zero: 3}
            device: cpu
            """,
            List.of());
    Generation sample =
        MeshGenerator.after(config, run, TinyRun::refuse)
            .generate(PROMPT, Sampling.greedy(24), _ -> {});
    assertThat(sample.tokens())
        .isEqualTo(open("tensor=2").generate(PROMPT, Sampling.greedy(24), _ -> {}).tokens());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "context=2 | written token by token",
        "tensor=3 | heads do not divide",
        "pipeline=64 | layers for 64 stages",
        "expert=2 | no experts",
        "tensor=2,zero=3 | parallel.zero is for training: writing text has no use for it",
        "data=2,replicate=2,zero=1 | parallel.replicate is for training",
        "tensor=2,blocks_per_bucket=2 | parallel.blocks_per_bucket is for training",
        "pipeline=2,schedule=zero_bubble | parallel.schedule is for training",
        "pipeline=2,schedule=interleaved,stages_per_rank=2 | parallel.stages_per_rank is for",
      })
  void refusesAMeshThatCannotWrite(String mesh, String problem) {
    TinyRun.save(run, TinyRun.config("tiny-llama"), SEED);
    assertThatThrownBy(() -> open(mesh))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "data=4,tensor=2,pipeline=2,zero=3 | 4",
        "data=4,expert=4 | 4",
        "data=4,tensor=2,context=2,expert=4 | 4",
        "data=8 | 1",
      })
  void aRunsSampleTakesNoMoreRanksThanThePartsOfItsModel(String mesh, int ranks) {
    assertThat(MeshOption.parse(mesh).ofOneCopy().ranks()).isEqualTo(ranks);
  }

  @ParameterizedTest
  @ValueSource(strings = {"tensor=2 pipeline=2", "2", "", "tensor=[", "{tensor=2}"})
  void anOptionThatNamesNoAxesSaysHowItLooks(String mesh) {
    assertThatThrownBy(() -> MeshOption.parse(mesh))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("--mesh");
  }
}
