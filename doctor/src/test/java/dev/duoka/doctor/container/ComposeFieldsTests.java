package dev.duoka.doctor.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The compose file has the fields of the Compose Specification alone, each of its type. {@code
 * compose-fields.yaml} says which fields those are.
 */
final class ComposeFieldsTests {
  private static final FieldTable TABLE = FieldTable.of("compose-fields.yaml");

  private static String file(ContainerPlan plan) {
    return ContainerFiles.of(plan).getOrDefault("compose.yaml", "");
  }

  private static List<String> problems(String file) {
    return TABLE.problems(FieldTable.read(file), "Compose");
  }

  @ParameterizedTest
  @MethodSource("dev.duoka.doctor.container.ContainerTests#plans")
  void theFileHasTheSpecificationsFieldsAlone(ContainerPlan plan) {
    assertThat(problems(file(plan))).isEmpty();
  }

  @Test
  void whatTheSpecificationDoesNotKnowIsNoticed() {
    String file = file(ContainerTests.plans().findFirst().orElseThrow());
    assertThat(problems(file.replace("shm_size:", "shmsize:")))
        .containsExactly("Compose.services.train has no field shmsize");
    assertThat(problems(file.replace("stop_grace_period: 900s", "stop_grace_period: 900")))
        .containsExactly("Compose.services.train.stop_grace_period is no duration: 900");
    assertThat(problems(file.replace("count: 8", "count: many")))
        .hasSize(1)
        .first()
        .asString()
        .contains("count is no whole");
    assertThat(problems(file.replaceFirst("(?m)^ +capabilities: .*\n", "")))
        .hasSize(1)
        .first()
        .asString()
        .contains("lacks capabilities");
    assertThat(problems(file.replaceFirst("source: \"/scratch", "source: \"\\$HOME/scratch")))
        .hasSize(1)
        .first()
        .asString()
        .contains("source is no mount");
  }
}
