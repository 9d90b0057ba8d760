/**
 * What was measured on one machine, as a file that others read: {@link
 * dev.duoka.hardware.profile.MachineProfile} is its content. Between and beyond the samples {@link
 * dev.duoka.hardware.profile.ProductTable}, {@link dev.duoka.hardware.profile.AttentionTable} and
 * {@link dev.duoka.hardware.profile.ExchangeTable} interpolate.
 */
package dev.duoka.hardware.profile;
