package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class MeanLossTests {
  @Test
  void eachMeanIsThatOfItsOwnSteps() {
    MeanLoss losses = new MeanLoss();
    losses.add(2);
    losses.add(4);
    assertThat(losses.take()).isEqualTo(3);
    losses.add(1);
    assertThat(losses.take()).isEqualTo(1);
    assertThat(losses.take()).isNaN();
  }
}
