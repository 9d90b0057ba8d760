package dev.duoka.verify.parity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The goldens on every mesh of up to four ranks that their shapes admit, held to another
 * implementation's numbers as one rank is.
 */
class MeshParityTests {
  private static final double TOLERANCE = 1e-4;
  private static final int MOST_RANKS = 4;

  private static Path folder(String golden) {
    return Path.of(System.getProperty("duoka.repository"), "golden", golden);
  }

  private static List<ParityResult> run(String golden, String mesh) {
    ParallelSettings parallel = MeshOption.parse(mesh);
    DevicePlacement placement = DevicePlacement.choose(DeviceChoice.parse("cpu"), parallel.mesh());
    return ParityCheck.run(folder(golden), parallel, placement, TOLERANCE);
  }

  /** Two to four ranks over all axes; ZeRO and schedules in turn. */
  private static List<String> meshes() {
    List<String> meshes = new ArrayList<>();
    String[] schedules = {"1f1b", "gpipe", "zero_bubble"};
    for (int data = 1; data <= 2; data++) {
      for (int tensor = 1; tensor <= MOST_RANKS; tensor++) {
        for (int pipeline = 1; pipeline <= MOST_RANKS; pipeline++) {
          for (int context = 1; context <= MOST_RANKS; context++) {
            int ranks = data * tensor * pipeline * context;
            int spread = ranks / pipeline;
            if (ranks > 1 && ranks <= MOST_RANKS) {
              for (int expert = 1; expert <= spread; expert *= 2) {
                if (spread % expert == 0) {
                  meshes.add(
                      "data=%d,tensor=%d,pipeline=%d,context=%d,expert=%d,zero=%d%s"
                          .formatted(
                              data,
                              tensor,
                              pipeline,
                              context,
                              expert,
                              meshes.size() % 4,
                              pipeline == 1
                                  ? ""
                                  : ",schedule=" + schedules[meshes.size() % schedules.length]));
                }
              }
            }
          }
        }
      }
    }
    return meshes;
  }

  /**
   * Every mesh, but of v2-lite each second: its layers are cut as those of v3 are; and of v2-group
   * and v3-yarn each third: they differ in how experts are chosen and positions are scaled, which
   * every rank does alike.
   */
  @ParameterizedTest
  @CsvSource({
    "llama-gqa, 1, 13",
    "llama-mha-scaled, 1, 8",
    "v2-lite, 2, 14",
    "v2-group, 3, 10",
    "v3, 1, 30",
    "v3-yarn, 3, 10"
  })
  void everyMeshThatAGoldenAdmitsMatchesTransformers(String golden, int each, int count) {
    ModelConfig model = ModelConfigReader.read(folder(golden));
    int admitted = 0;
    List<String> meshes = meshes();
    for (int i = 0; i < meshes.size(); i += each) {
      String mesh = meshes.get(i);
      if (!admits(model, MeshOption.parse(mesh))) {
        assertThatThrownBy(() -> run(golden, mesh))
            .as(mesh)
            .isInstanceOf(DuokaException.class)
            .hasMessageContaining("Nearest valid: ");
        continue;
      }
      admitted++;
      List<ParityResult> results = run(golden, mesh);
      assertThat(results).as(mesh).hasSizeGreaterThan(20);
      assertThat(results)
          .as(mesh)
          .allSatisfy(
              result -> assertThat(result.within(TOLERANCE)).as(result.toString()).isTrue());
      assertThat(results)
          .as(mesh)
          .filteredOn(result -> result.runs() > 1)
          .extracting(ParityResult::name)
          .isSubsetOf("adamw_losses", "grad_norms");
    }
    assertThat(admitted).isEqualTo(count);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "qwen2 | tensor=4,zero=1", // two ranks have copies of a key's head, and of its bias
        "qwen2 | data=2,pipeline=2,zero=3", // the embedding is the head of another stage
        "qwen3 | tensor=4",
        "qwen3 | tensor=2,context=2,zero=2",
        "llama-gqa-lora | tensor=2,data=2,zero=3",
        "llama-gqa-dora | tensor=2",
        "llama-gqa-dora | tensor=2,pipeline=2,zero=2",
        "v2-lite-lora | data=2,expert=2,zero=1",
        "v3-rslora | data=2,tensor=2,expert=2,zero=3",
      })
  void adaptersAndOtherFamiliesMatchOnAMesh(String golden, String mesh) {
    List<ParityResult> results = run(golden, mesh);
    assertThat(results).hasSizeGreaterThan(20);
    assertThat(results)
        .allSatisfy(result -> assertThat(result.within(TOLERANCE)).as(result.toString()).isTrue());
  }

  /** What a mesh asks of a shape, in the test's own words. */
  private static boolean admits(ModelConfig model, ParallelSettings mesh) {
    int heads =
        switch (model.attention()) {
          case AttentionConfig.GroupedQuery it -> it.heads();
          case AttentionConfig.MultiHeadLatent it -> it.heads();
        };
    return (model.moe() != null || mesh.expert() == 1)
        && mesh.pipeline() <= model.layers()
        && heads % mesh.tensor() == 0
        && model.intermediateSize() % mesh.tensor() == 0;
  }

  @Test
  void aBatchThatDoesNotDivideIsRefused() {
    assertThatThrownBy(() -> run("v3", "data=4"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("parallel.data is 4, but a batch of 2 sequences does not divide")
        .hasMessageContaining("Valid: [1, 2]");
  }

  @Test
  void moreStagesThanLayersAreRefused() {
    assertThatThrownBy(() -> run("llama-gqa", "pipeline=2,schedule=interleaved"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("the model has 2 layers for 4 stages");
  }

  @Test
  void oneWrongGradientIsFoundUnderAMesh(@TempDir Path copy) throws IOException {
    for (String file : List.of("config.json", "model.safetensors", "expect.safetensors")) {
      Files.copy(folder("v3").resolve(file), copy.resolve(file));
    }
    String name = "grad.model.layers.1.mlp.experts.down_proj";
    Rewritten file = Rewritten.read(copy);
    file.set(name, 5, 0.5);
    file.write();
    ParallelSettings mesh = MeshOption.parse("data=2,expert=2");
    List<ParityResult> results =
        ParityCheck.run(
            copy, mesh, DevicePlacement.choose(DeviceChoice.parse("cpu"), mesh.mesh()), TOLERANCE);
    assertThat(results)
        .filteredOn(result -> !result.within(TOLERANCE))
        .extracting(ParityResult::name)
        .containsExactly(name);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tensors=2 | unknown field 'tensors'",
        "tensor=two | tensor",
        "tensor | names no axes",
        "tensor=2 pipeline=2 | names no axes",
        "zero=4 | zero",
      })
  void namesWhatIsWrongWithTheOption(String mesh, String problem) {
    assertThatThrownBy(() -> MeshOption.parse(mesh))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("--mesh")
        .hasMessageContaining(problem);
  }
}
