package dev.duoka.doctor.container;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The manifest has the fields of the Kubernetes API alone, each of its type: what a server with
 * strict checking takes. {@code kubernetes-fields.yaml} says which fields those are.
 */
final class KubernetesFieldsTests {
  private static JsonNode kinds;

  @BeforeAll
  static void readFields() {
    kinds = node(YamlData.resource(KubernetesFieldsTests.class, "kubernetes-fields.yaml"));
  }

  private static JsonNode node(JsonFields fields) {
    ObjectNode node = Json.object();
    fields.names().forEach(name -> node.set(name, fields.node(name).orElseThrow()));
    return node;
  }

  private static List<String> problems(String manifest) {
    List<String> problems = new ArrayList<>();
    for (String document : manifest.split("(?m)^---$")) {
      JsonNode node = node(YamlData.parse(document, "job.yaml"));
      check(node, node.path("kind").asString("?"), node.path("kind").asString("?"), problems);
    }
    return problems;
  }

  private static void check(JsonNode node, String type, String at, List<String> problems) {
    boolean right =
        switch (type) {
          case "text" -> node.isString();
          case "whole" -> node.isIntegralNumber();
          case "flag" -> node.isBoolean();
          case "texts" -> node.isObject() && allText(node);
          case "quantity" ->
              node.isIntegralNumber()
                  || (node.isString() && node.asString().matches("\\d+(\\.\\d+)?(m|Ki|Mi|Gi|Ti)?"));
          case "quantities" -> node.isObject();
          default -> type.startsWith("[") ? node.isArray() : node.isObject() && kinds.has(type);
        };
    if (!right) {
      problems.add(at + " is no " + type + ": " + node);
    } else if (type.startsWith("[")) {
      String each = type.substring(1, type.length() - 1);
      node.forEach(entry -> check(entry, each, at + "[]", problems));
    } else if (type.equals("quantities")) {
      node.forEach(entry -> check(entry, "quantity", at + " quantity", problems));
    } else if (kinds.has(type)) {
      fields(node, kinds.path(type), at, problems);
    }
  }

  private static boolean allText(JsonNode node) {
    for (JsonNode value : node) {
      if (!value.isString()) {
        return false;
      }
    }
    return true;
  }

  private static void fields(JsonNode node, JsonNode known, String at, List<String> problems) {
    Map<String, String> types = new TreeMap<>();
    known.propertyNames().forEach(name -> types.put(name, known.path(name).asString("")));
    for (String name : node.propertyNames()) {
      String type = Optional.ofNullable(types.remove(name)).orElse(types.remove(name + "!"));
      if (type == null) {
        problems.add(at + " has no field " + name);
      } else {
        check(node.path(name), type, at + "." + name, problems);
      }
    }
    types.keySet().stream()
        .filter(name -> name.endsWith("!"))
        .forEach(name -> problems.add(at + " lacks " + name.replace("!", "")));
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
    JsonNode pod =
        node(YamlData.parse(manifest.split("(?m)^---$")[1], "job.yaml")).at("/spec/template/spec");
    JsonNode train = pod.path("containers").path(0);
    assertThat(train.at("/args/1").asString()).isEqualTo(name.replace("$(", "$$("));
    assertThat(train.at("/volumeMounts/3/mountPath").asString()).isEqualTo(name);
    assertThat(pod.at("/volumes/3/hostPath/path").asString()).isEqualTo(name);
  }
}
