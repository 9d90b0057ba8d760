package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Progress;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.MeshGenerator;
import dev.duoka.train.generate.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One base in memory, and adapters that take turns. */
class SeveralAdaptersTests {
  private static final Sampling DRAWN = new Sampling(1, 0, 1, 5, 24);

  @TempDir static Path folder;

  private static Path base = Path.of(".");
  private static final List<Path> ADAPTERS = new ArrayList<>();

  @BeforeAll
  static void train() throws IOException {
    base = base("base", 1);
    ADAPTERS.add(adapter("first", "adapter={rank: 2}", 2));
    ADAPTERS.add(adapter("alike", "adapter={rank: 2}", 3));
    Path run = adapter("other-run", "adapter={rank: 3, dora: true, train_whole: [lm_head]}", 4);
    Path other = folder.resolve("other");
    HuggingFaceExport.exportAdapter(run, other, WeightFormat.FP32, _ -> {});
    ADAPTERS.add(other);
  }

  private static Path base(String name, int seed) throws IOException {
    Path run = folder.resolve("of-" + name);
    run(run, "model={preset: tiny-llama}", seed);
    Path exported = folder.resolve(name);
    HuggingFaceExport.export(run, exported, WeightFormat.FP32, _ -> {});
    return exported;
  }

  private static Path adapter(String name, String adapter, int seed) throws IOException {
    Path run = folder.resolve(name);
    run(run, "model={path: " + base + ", load_weights: true}", seed, adapter);
    return run;
  }

  private static void run(Path run, String model, int seed, String... more) throws IOException {
    List<String> all =
        new ArrayList<>(
            List.of(
                model,
                "training.steps=2",
                "training.seed=" + seed,
                "schedule.warmup_steps=0",
                "optimizer.learning_rate=2e-2"));
    all.addAll(List.of(more));
    SmallRun.run(SmallRun.wide(folder, all.toArray(String[]::new)), run, new SmallRun.Listener());
  }

  private static Generator open(Path path, List<Path> adapters) {
    return Generator.open(path, adapters, Device.CPU, Dtype.FLOAT32, _ -> {}, Progress.NONE);
  }

  private static String text(Generator generator) {
    return generator.generate("value1 = ", DRAWN, _ -> {}).text();
  }

  private static String alone(Path model) {
    try (Generator generator = open(model, List.of())) {
      assertThat(generator.adapters()).isEmpty();
      return text(generator);
    }
  }

  @Test
  void eachWritesWhatItWritesAlone() {
    List<String> expected = ADAPTERS.stream().map(SeveralAdaptersTests::alone).toList();
    String without = alone(base);
    assertThat(expected).doesNotHaveDuplicates().doesNotContain(without);
    try (Generator generator = open(base, ADAPTERS)) {
      assertThat(generator.adapters()).containsExactly("first", "alike", "other");
      assertThat(generator.adapter()).contains("first");
      assertThat(text(generator)).isEqualTo(expected.getFirst());
      for (String name : List.of("alike", "first", "other", "alike", "other", "first")) {
        generator.use(name, Progress.NONE);
        assertThat(generator.adapter()).contains(name);
        assertThat(text(generator))
            .as(name)
            .isEqualTo(expected.get(generator.adapters().indexOf(name)));
      }
      generator.setAdapted(false);
      assertThat(text(generator)).isEqualTo(without);
      generator.use("other", Progress.NONE);
      generator.setAdapted(false);
      assertThat(text(generator)).as("its head is the base's").isEqualTo(without);
      generator.setAdapted(true);
      assertThat(text(generator)).as("and its own again").isEqualTo(expected.getLast());
      generator.use("alike", Progress.NONE);
      assertThat(text(generator)).as("it is on").isEqualTo(expected.get(1));
    }
    ParallelSettings two = MeshOption.parse("tensor=2");
    assertThat(
            new MeshGenerator(
                    base,
                    Optional.of(ADAPTERS.getFirst()),
                    Optional.empty(),
                    two,
                    DevicePlacement.choose(DeviceChoice.parse("cpu"), two.mesh()),
                    _ -> {})
                .generate("value1 = ", DRAWN, _ -> {})
                .text())
        .isEqualTo(expected.getFirst());
  }

  private static Generator onMesh(String mesh, List<Path> adapters) {
    ParallelSettings parallel = MeshOption.parse(mesh);
    return Generator.open(
        base,
        adapters,
        Optional.empty(),
        parallel,
        DevicePlacement.choose(DeviceChoice.parse("cpu"), parallel.mesh()),
        _ -> {},
        Progress.NONE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"tensor=2", "pipeline=2"})
  void theyTakeTurnsOnAMesh(String mesh) {
    List<String> expected = new ArrayList<>();
    String without = alone(base);
    try (Generator generator = open(base, ADAPTERS)) {
      for (String name : generator.adapters()) {
        generator.use(name, Progress.NONE);
        expected.add(text(generator));
      }
    }
    assertThat(expected).doesNotHaveDuplicates().doesNotContain(without);
    try (Generator generator = onMesh(mesh, ADAPTERS)) {
      assertThat(generator.hasAdapter()).isTrue();
      for (String name : List.of("first", "alike", "other", "first")) {
        generator.use(name, Progress.NONE);
        assertThat(generator.adapter()).contains(name);
        assertThat(text(generator))
            .as(name)
            .isEqualTo(expected.get(generator.adapters().indexOf(name)));
        generator.setAdapted(false);
        assertThat(text(generator))
            .as("the base, whatever %s trained whole", name)
            .isEqualTo(without);
      }
      generator.setAdapted(true);
      assertThat(text(generator)).isEqualTo(expected.getFirst());
    }
  }

  @Test
  void oneThatCannotBeReadLeavesThePresentOne() throws IOException {
    Path broken = Files.createDirectories(folder.resolve("broken"));
    for (String file : List.of("adapter_config.json", AdapterFile.FILE_NAME)) {
      Files.copy(ADAPTERS.getLast().resolve(file), broken.resolve(file));
    }
    Path config = broken.resolve("adapter_config.json");
    Files.writeString(config, Files.readString(config).replaceFirst("\"r\" *: *3", "\"r\": 5"));
    List<Path> both = List.of(ADAPTERS.getFirst(), broken);
    requireThatOneStays(open(base, both));
    requireThatOneStays(onMesh("tensor=2", both));
  }

  private static void requireThatOneStays(Generator opened) {
    try (Generator generator = opened) {
      String before = text(generator);
      assertThatThrownBy(() -> generator.use("broken", Progress.NONE))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("has the shape");
      assertThat(generator.adapter()).contains("first");
      assertThat(text(generator)).isEqualTo(before);
      assertThatThrownBy(() -> generator.use("second", Progress.NONE))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("there is no adapter second")
          .hasMessageContaining("There are first, broken");
    }
  }

  @Test
  void whatDoesNotBelongTogetherIsRefused() throws IOException {
    Path first = ADAPTERS.getFirst();
    assertThatThrownBy(() -> open(base, List.of(first, first)))
        .hasMessageContaining("first: the name is taken");
    assertThatThrownBy(() -> open(base, List.of(base))).hasMessageContaining("base is no adapter");
    assertThatThrownBy(() -> open(first, List.of(first)))
        .hasMessageContaining("which is one itself");
    Path another = base("another", 7);
    assertThatThrownBy(() -> open(another, List.of(first)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("was trained on other weights than those of " + another);
  }
}
