package dev.duoka.doctor.nccl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.doctor.nccl.NcclVerdict.Kind;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyReader;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NcclTests {
  private static Topology matrix(int gpus, String link, String product) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < gpus && !product.isEmpty(); i++) {
      text.append("GPU ")
          .append(i)
          .append(": ")
          .append(product)
          .append(" (UUID: GPU-")
          .append(i)
          .append(")\n");
    }
    for (int i = 0; i < gpus; i++) {
      text.append("\tGPU").append(i);
    }
    text.append("\tCPU Affinity\tNUMA Affinity\n");
    for (int i = 0; i < gpus; i++) {
      text.append("GPU").append(i);
      for (int j = 0; j < gpus; j++) {
        text.append('\t').append(i == j ? "X" : link);
      }
      text.append("\t0-31\t0\n");
    }
    return TopologyReader.read(text.toString(), "made up");
  }

  @Test
  void nothingIsSetWithNvlink() {
    NcclAdvice advice = NcclAdvice.of(matrix(8, "NV18", "NVIDIA H100 80GB HBM3"));
    assertThat(advice.set()).isEmpty();
    assertThat(advice.measure()).isEmpty();
    assertThat(advice.exports()).isEmpty();
    assertThat(advice.notes().getFirst()).startsWith("Set nothing");
    assertThat(advice.runFileBlock()).isEqualTo("environment: {}  # nothing to set\n");
  }

  @Test
  void nvlinkSharpExistsBehindASwitchOfTwo() {
    NcclExplainer explainer =
        new NcclExplainer(Optional.of(matrix(2, "NV18", "NVIDIA H100 80GB HBM3")));
    NcclVerdict verdict = explainer.explain("NCCL_NVLS_ENABLE", "0");
    assertThat(verdict.kind()).isEqualTo(Kind.HARMLESS);
    assertThat(verdict.explanation()).contains("known way round");
  }

  @Test
  void wordsOfAlgorithmsAreChecked() {
    NcclExplainer explainer = new NcclExplainer(Optional.empty());
    assertThat(explainer.explain("NCCL_ALGO", "rign").kind()).isEqualTo(Kind.WRONG_VALUE);
    assertThat(explainer.explain("NCCL_ALGO", "Ring").kind()).isEqualTo(Kind.HARMFUL);
    assertThat(explainer.explain("NCCL_ALGO", "^tree").kind()).isNotEqualTo(Kind.WRONG_VALUE);
    assertThat(explainer.explain("NCCL_PROTO", "LL182").kind()).isEqualTo(Kind.WRONG_VALUE);
  }

  @Test
  void measuredSettingsAreForTheirCardsAlone() {
    NcclAdvice advice = NcclAdvice.of(matrix(8, "NODE", "NVIDIA RTX PRO 6000 Blackwell"));
    assertThat(advice.set())
        .extracting(NcclSetting::name)
        .containsExactly("NCCL_P2P_LEVEL", "NCCL_MIN_CTAS");
    assertThat(advice.exports()).contains("export NCCL_P2P_LEVEL=SYS\n").contains("# Source: ");
    assertThat(advice.runFileBlock()).contains("  NCCL_MIN_CTAS: \"8\"\n");
    assertThat(NcclAdvice.of(matrix(8, "NODE", "NVIDIA GeForce RTX 4090")).set()).isEmpty();
    assertThat(NcclAdvice.of(matrix(8, "NODE", "NVIDIA GeForce RTX 4090")).measure()).isEmpty();
  }

  @Test
  void unmeasuredSettingsStayComments() {
    NcclAdvice advice = NcclAdvice.of(matrix(4, "PHB", "NVIDIA L40S"));
    assertThat(advice.set()).isEmpty();
    assertThat(advice.measure()).singleElement().extracting(NcclSetting::value).isEqualTo("PHB");
    assertThat(advice.exports().lines()).allMatch(line -> line.startsWith("#"));
  }

  @Test
  void virtualMachineIsRecognised() {
    assertThat(NcclAdvice.of(matrix(4, "SYS", "")).measure())
        .extracting(NcclSetting::name)
        .containsExactly("NCCL_TOPO_FILE");
  }

  @ParameterizedTest
  @CsvSource({
    "NCCL_BLOCKING_WAIT, 1, WRONG_NAME, TORCH_NCCL_BLOCKING_WAIT",
    "TORCH_NCCL_BLOCKING_WAIT, 1, USELESS_HERE,",
    "NCCL_SOCKET_NTHREADS, 4, USELESS_HERE,",
    "NCCL_NSOCKS_PERTHREAD, 4, USELESS_HERE,",
    "NCCL_P2P_LEVL, NVL, MISSPELT, NCCL_P2P_LEVEL",
    "NCCL_DEBUGG, INFO, MISSPELT, NCCL_DEBUG",
    "nccl_debug, INFO, MISSPELT, NCCL_DEBUG",
    "NCCL_P2P_DISABLE, 1, HARMFUL,",
    "NCCL_P2P_DISABLE, 0, HARMLESS,",
    "NCCL_VERSION, 2.28.3-1, HARMLESS,",
    "NCCL_P2P_DISABLE, yes, WRONG_VALUE,",
    "NCCL_P2P_LEVEL, 5, HARMFUL,",
    "NCCL_P2P_LEVEL, FAR, WRONG_VALUE,",
    "NCCL_SHM_DISABLE, 1, HARMFUL,",
    "NCCL_NVLS_ENABLE, 0, HARMFUL,",
    "NCCL_IB_DISABLE, 1, HARMLESS,",
    "NCCL_TREE_THRESHOLD, 0, USELESS_HERE,",
    "NCCL_PROTO, LL128, HARMFUL,",
    "NCCL_PROTO, ^LL128, USEFUL,",
    "NCCL_DEBUG, WARN, USEFUL,",
    "NCCL_TOTALLY_OTHER_THING, 1, UNKNOWN,"
  })
  void variablesAreExplained(String name, String value, Kind kind, String suggestion) {
    Optional<Topology> machine = Optional.of(matrix(8, "NV18", ""));
    NcclVerdict verdict = new NcclExplainer(machine).explain(name, value);
    assertThat(verdict.kind()).as(verdict.toString()).isEqualTo(kind);
    assertThat(verdict.suggestion()).isEqualTo(Optional.ofNullable(suggestion));
    assertThat(verdict.explanation()).isNotBlank();
  }

  @Test
  void nvlsIsUselessWithoutSwitch() {
    NcclVerdict verdict =
        new NcclExplainer(Optional.of(matrix(2, "PHB", ""))).explain("NCCL_NVLS_ENABLE", "1");
    assertThat(verdict.kind()).isEqualTo(Kind.USELESS_HERE);
  }

  @Test
  void onlyVariablesOfNcclAreExplained() {
    assertThat(
            new NcclExplainer(Optional.empty())
                .explainAll(Map.of("PATH", "/bin", "NCCL_DEBUG", "INFO", "NCL_DEBUG", "1")))
        .extracting(NcclVerdict::name)
        .containsExactly("NCCL_DEBUG", "NCL_DEBUG");
  }

  @Test
  void catalogueIsSound() {
    NcclCatalog catalog = NcclCatalog.get();
    assertThat(catalog.variables()).hasSizeGreaterThan(140);
    for (NcclVariable variable : catalog.variables()) {
      variable.values().ifPresent(Pattern::compile);
      variable.replacedBy().ifPresent(name -> assertThat(catalog.find(name)).as(name).isPresent());
      variable
          .wrongNameOf()
          .filter(name -> !name.equals("none"))
          .ifPresent(name -> assertThat(catalog.find(name)).as(name).isPresent());
      assertThat(variable.source()).isNotBlank();
    }
  }
}
