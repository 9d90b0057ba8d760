package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.json.Json;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

final class TokensTakenTests {
  private static ObjectNode of(Series tokens, long from, long to, int columns) {
    ObjectNode json = Json.object();
    TokensTaken.put(json, tokens, new RunJson.Window(from, to, columns));
    return json;
  }

  private static Series ramp(int first, int steps) {
    Series tokens = new Series();
    for (int step = first; step < first + steps; step++) {
      tokens.add(step, step < 50 ? 10 : 40);
    }
    return tokens;
  }

  @Test
  void aBatchThatGrowsIsSummedStepByStep() {
    ObjectNode json = of(ramp(1, 100), 1, 100, 100);
    assertThat(json.path("steps")).hasSize(100);
    assertThat(json.at("/values/48").asDouble()).isEqualTo(490);
    assertThat(json.at("/values/49").asDouble()).isEqualTo(530);
    assertThat(json.at("/values/99").asDouble()).isEqualTo(490 + 51 * 40);
  }

  @Test
  void aPartHasWhatWasTakenBeforeIt() {
    ObjectNode json = of(ramp(1, 100), 60, 80, 4);
    assertThat(json.at("/steps/0").asLong()).isEqualTo(60);
    assertThat(json.at("/values/0").asDouble()).isEqualTo(490 + 11 * 40);
    int last = json.path("steps").size() - 1;
    assertThat(last).isBetween(3, 5);
    assertThat(json.at("/steps/" + last).asLong()).isEqualTo(80);
    assertThat(json.at("/values/" + last).asDouble()).isEqualTo(490 + 31 * 40);
  }

  @Test
  void ofMetricsThatBeginLateTheStepsBeforeAreTakenAsTheFirst() {
    assertThat(of(ramp(11, 2), 11, 12, 10).at("/values/0").asDouble()).isEqualTo(110);
    assertThat(of(new Series(), 1, 2, 10).path("steps")).isEmpty();
  }
}
