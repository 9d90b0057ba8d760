package dev.duoka.doctor.container;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * The manifest has the fields of the Kubernetes API alone, each of its type: what a server with
 * strict checking takes. {@code kubernetes-fields.yaml} says which fields those are.
 */
final class KubernetesFieldsTests {
  private static final FieldTable TABLE = FieldTable.of("kubernetes-fields.yaml");

  private static List<String> problems(String manifest) {
    List<String> problems = new ArrayList<>();
    for (String document : manifest.split("(?m)^---$")) {
      JsonNode node = FieldTable.read(document);
      problems.addAll(TABLE.problems(node, node.path("kind").asString("?")));
    }
    return problems;
  }

  @ParameterizedTest
  @MethodSource("dev.duoka.doctor.container.ContainerTests#plans")
  void theManifestHasTheApisFieldsAlone(ContainerPlan plan) {
    assertThat(problems(ContainerFiles.of(plan).getOrDefault("job.yaml", ""))).isEmpty();
  }

  @Test
  void whatTheApiDoesNotKnowIsNoticed() {
    String manifest =
        ContainerFiles.of(ContainerTests.plans().findFirst().orElseThrow())
            .getOrDefault("job.yaml", "");
    assertThat(problems(manifest.replace("backoffLimit: 6", "backofLimit: 6")))
        .containsExactly("Job.spec has no field backofLimit");
    assertThat(problems(manifest.replace("runAsUser: 1000", "runAsUser: \"1000\"")))
        .containsExactly("Job.spec.template.spec.securityContext.runAsUser is no whole: \"1000\"");
    assertThat(problems(manifest.replace("restartPolicy: Never", "restart: Never")))
        .containsExactly(
            "Job.spec.template.spec has no field restart",
            "Job.spec.template.spec lacks restartPolicy");
    assertThat(problems(manifest.replace("memory: ", "memory: about ")))
        .isNotEmpty()
        .allMatch(problem -> problem.contains("is no quantity"));
    assertThat(problems(manifest.replaceFirst("(?m)^ +mountPath: /cache\\n", "")))
        .containsExactly("Job.spec.template.spec.containers[].volumeMounts[] lacks mountPath");
  }

  /** A name with anything in it stays one: Kubernetes expands $(…) in words of commands alone. */
  @Test
  void namesAreTakenAsTheyAre() {
    String name = "/data/it's \"$(HOME)\"\n\tand more\\";
    ContainerPlan plan =
        new ContainerPlan(
            "a-run",
            Optional.of(Path.of(name)),
            Path.of("/jobs"),
            List.of(),
            Path.of("/scratch"),
            1,
            1,
            120,
            false,
            Optional.empty(),
            Optional.empty(),
            "0.1.0");
    String manifest = KubernetesJob.of(plan).text();
    assertThat(problems(manifest)).isEmpty();
    JsonNode pod = FieldTable.read(manifest.split("(?m)^---$")[1]).at("/spec/template/spec");
    JsonNode train = pod.path("containers").path(0);
    assertThat(train.at("/args/1").asString()).isEqualTo(name.replace("$(", "$$("));
    assertThat(train.at("/volumeMounts/3/mountPath").asString()).isEqualTo(name);
    assertThat(pod.at("/volumes/3/hostPath/path").asString()).isEqualTo(name);
  }
}
