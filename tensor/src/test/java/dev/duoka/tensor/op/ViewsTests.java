package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.TestDevice;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ViewsTests {
  private static final Device DEVICE = TestDevice.current();

  private final Scope scope = Scope.open(MemoryOwner.TEMPORARIES);
  private Tensor x = Tensors.empty(Dtype.FLOAT32, DEVICE, 0);

  /** {@code x[i][j][k] = 100 i + 10 j + k}, of shape {@code [2, 3, 4]}. */
  @BeforeEach
  void number() {
    float[] values = new float[24];
    for (int i = 0; i < 24; i++) {
      values[i] = 100 * (i / 12) + 10 * (i / 4 % 3) + i % 4;
    }
    x = HostCopy.fromFloats(values, Dtype.FLOAT32, DEVICE, 2, 3, 4);
  }

  @AfterEach
  void free() {
    scope.close();
  }

  @Test
  void reshape() {
    assertThat(Views.reshape(x, 6, -1).shape()).containsExactly(6, 4);
    assertThat(Views.reshape(x, -1).shape()).containsExactly(24);
    assertThat(Views.reshape(Views.narrow(x, 0, 1, 0), -1, 4).shape()).containsExactly(0, 4);
    assertThat(Views.reshape(Views.row(Views.reshape(x, -1), 5), 1, 1).shape())
        .containsExactly(1, 1);
    refuses(() -> Views.reshape(x, 5, -1), "[5, -1]");
    refuses(() -> Views.reshape(x, 25), "[25]");
    refuses(() -> Views.reshape(Views.transpose(x, 0, 1), -1), "not dense");
  }

  @Test
  void narrow() {
    Tensor part = Views.narrow(Views.narrow(x, 1, 1, 2), 2, 2, 1);
    assertThat(part.shape()).containsExactly(2, 2, 1);
    assertThat(HostCopy.floats(part)).containsExactly(12, 22, 112, 122);
    assertThat(HostCopy.floats(Views.narrow(x, -1, 3, 1))).startsWith(3, 13, 23);
    refuses(() -> Views.narrow(x, 1, 2, 2), "2 elements from 2 of dimension 1");
    refuses(() -> Views.narrow(x, 1, -1, 1), "from -1");
    refuses(() -> Views.narrow(x, 3, 0, 1), "no dimension 3");
  }

  @Test
  void unflatten() {
    Tensor pairs = Views.unflatten(Views.narrow(x, 1, 1, 2), 2, 2);
    assertThat(pairs.shape()).containsExactly(2, 2, 2, 2);
    assertThat(HostCopy.floats(Views.narrow(pairs, 3, 1, 1))).startsWith(11, 13, 21, 23);
    refuses(() -> Views.unflatten(x, 2, 3), "into 3 parts");
    refuses(() -> Views.unflatten(x, 2, 0), "into 0 parts");
  }

  @Test
  void transpose() {
    Tensor turned = Views.transpose(x, 0, -1);
    assertThat(turned.shape()).containsExactly(4, 3, 2);
    assertThat(HostCopy.floats(turned)).startsWith(0, 100, 10, 110, 20, 120, 1, 101);
  }

  @Test
  void unsqueezeAndExpand() {
    Tensor wide = Views.unsqueeze(x, -1);
    assertThat(wide.shape()).containsExactly(2, 3, 4, 1);
    Tensor repeated = Views.expand(Views.unsqueeze(Views.row(x, 1), 0), 0, 2);
    assertThat(repeated.shape()).containsExactly(2, 3, 4);
    assertThat(HostCopy.floats(repeated)).startsWith(100, 101).endsWith(122, 123).hasSize(24);
    refuses(() -> Views.expand(x, 0, 3), "cannot expand dimension 0");
  }

  @Test
  void rowAndSlice() {
    assertThat(HostCopy.floats(Views.row(Views.row(x, 1), 2))).containsExactly(120, 121, 122, 123);
    assertThat(HostCopy.floats(Views.slice(x, 10, 1, 3))).containsExactly(22, 23, 100);
    assertThat(HostCopy.floats(Views.slice(x, 24, 0))).isEmpty();
  }

  /** Otherwise such a view reads and writes memory of others. */
  @Test
  void refusesViewsBeyondTheTensor() {
    refuses(() -> Views.row(x, 2), "row 2");
    refuses(() -> Views.row(x, -1), "row -1");
    refuses(() -> Views.row(Tensors.zeros(Dtype.FLOAT32, DEVICE), 0), "row 0");
    refuses(() -> Views.slice(x, 20, 5), "from 20");
    refuses(() -> Views.slice(x, -1, 5), "from -1");
    refuses(() -> Views.slice(Views.narrow(x, 2, 0, 2), 0, 4), "not dense");
  }

  @Test
  void denseCopiesOnlyWhatIsNot() {
    assertThat(Views.addressOf(Views.dense(x))).isEqualTo(Views.addressOf(x));
    Tensor turned = Views.transpose(x, 1, 2);
    Tensor copy = Views.dense(turned);
    assertThat(copy.isContiguous()).isTrue();
    assertThat(HostCopy.floats(copy)).isEqualTo(HostCopy.floats(turned));
    assertThat(Views.addressOf(copy)).isNotEqualTo(Views.addressOf(x));
  }

  private static void refuses(ThrowingCallable call, String text) {
    assertThatThrownBy(call).isInstanceOf(DuokaException.class).hasMessageContaining(text);
  }
}
