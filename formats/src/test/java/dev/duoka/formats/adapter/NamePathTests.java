package dev.duoka.formats.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamePathTests {
  @ParameterizedTest
  @CsvSource({
    "embed_tokens, model.embed_tokens, true",
    "embed, model.embed_tokens, false",
    "norm, model.norm, true",
    "norm, model.layers.3.input_layernorm, false",
    "layers, model.layers.3.mlp.up_proj, true",
    "layers[3], model.layers.3.mlp.up_proj, true",
    "layers[3], model.layers.13.mlp.up_proj, false",
    "layers[0:8], model.layers.7.mlp.up_proj, true",
    "layers[0:8], model.layers.8.mlp.up_proj, false",
    "layers[8:], model.layers.8.mlp.up_proj, true",
    "layers[:8], model.layers.0.mlp.up_proj, true",
    "layers[:], model.layers.0.mlp.up_proj, true",
    "layers[:8], model.norm, false",
    "layers[2:4].self_attn, model.layers.3.self_attn.q_proj, true",
    "layers[2:4].self_attn, model.layers.3.mlp.up_proj, false",
    "layers.3.mlp, model.layers.3.mlp.up_proj, true",
    "mlp.up_proj, model.layers.3.mlp.up_proj, true",
    "mlp.proj, model.layers.3.mlp.up_proj, false",
    "layers[3].mlp.up_proj.weight, model.layers.3.mlp.up_proj, false",
    "experts, model.layers.3.mlp.experts.5.up_proj, true",
    "experts[0:5], model.layers.3.mlp.experts.5.up_proj, false",
    "model.layers[3], model.layers.3.mlp, true",
    "layers[0:8], model.layers, false",
    "layers[0:8], layers.00000000000003, false",
  })
  void standsInNames(String path, String name, boolean isIn) {
    assertThat(NamePath.parse(path).isIn(name)).isEqualTo(isIn);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a[",
        "a[]",
        "a[1",
        "a[-1]",
        "a[1:2:3]",
        "a[x]",
        "[1]",
        "a b",
        "a*",
        "a[1]b",
        "a[2:2]",
        "a[3:1]",
        "a[12345678901]",
        "a[1][2]"
      })
  void whatIsNoPathIsRefused(String path) {
    assertThatThrownBy(() -> new NamePatterns.Within(List.of(path)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + path + "'");
  }

  @Test
  void saysWhichFitNothing() {
    NamePatterns.Within patterns = new NamePatterns.Within(List.of("a", "layers[4:]", "b.c"));
    assertThat(patterns.idle(List.of("x.a.y", "layers.3", "b.x.c")))
        .containsExactly("layers[4:]", "b.c");
    assertThat(patterns.matches("layers.4.q")).isTrue();
    assertThat(patterns.mayTellLayersApart()).isTrue();
    assertThat(new NamePatterns.Within(List.of("mlp.experts")).mayTellLayersApart()).isFalse();
  }
}
