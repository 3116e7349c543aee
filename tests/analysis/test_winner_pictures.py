"""What the winner's figures show: layers, kernels, activation maps, curves."""

import numpy as np
import pytest
import torch

from analysis.figures import plot_accuracy_cost, plot_curves, plot_kernels, plot_structure
from analysis.figures.figure_style import style
from analysis.figures.plot_activations import MOST_MAPS, activations_info, strip_pixels
from analysis.sections.section_activations import figure_name, shown_first
from analysis.tables.activation_maps import activation_maps
from analysis.tables.findings import read
from analysis.tables.network_layers import network_layers
from models.design import Design
from models.network import build, measure_size
from models.transcript import TRANSCRIPT


@pytest.mark.parametrize("name", TRANSCRIPT)
def test_the_layers_parameters_sum_to_the_networks(name):
    layers = network_layers(TRANSCRIPT[name], (3, 32, 32), 10)
    parameters, _ = measure_size(TRANSCRIPT[name], (3, 32, 32), 10)
    assert sum(layer.parameters for layer in layers) == parameters
    assert layers[0].output == (3, 32, 32) and layers[-1].output == (10,)
    assert plot_structure.structure_info(layers).parameters == parameters


def test_layers_are_named_with_their_activation():
    design = Design(kernels=((4,),), pooling="average", activation="gelu", flat_dropout=0.3)
    labels = [layer.label for layer in network_layers(design, (1, 8, 8), 3)]
    assert labels == [
        "Image",
        "Convolution 3×3, 4 kernels, GELU",
        "Average pooling 2×2",
        "Flatten",
        "Dropout 30%",
        "Dense, 3 neurons",
    ]


def test_every_convolution_and_pooling_has_its_maps():
    design = Design(kernels=((4,), (12, 12)), batch_norm=True)
    network = build(design, (3, 8, 8), 10).eval()
    layers = activation_maps(network, torch.rand(3, 8, 8))
    assert [layer.label for layer in layers] == [
        "convolution 1",
        "pooling after convolution 1",
        "convolution 2",
        "convolution 3",
        "pooling after convolution 3",
    ]
    assert [layer.maps.shape for layer in layers] == [
        *[(4, 8, 8), (4, 4, 4)],
        *[(8, 4, 4), (8, 4, 4), (8, 2, 2)],
    ]
    assert layers[2].total == 12
    strength = np.abs(layers[2].maps).mean(axis=(1, 2))
    assert (np.diff(strength) <= 0).all() and (layers[0].maps >= 0).all()


def test_blank_maps_are_counted():
    network = build(Design(kernels=((3,),)), (1, 4, 4), 2).eval()
    with torch.no_grad():
        network.blocks[0][0].weight.zero_()
        network.blocks[0][0].bias.copy_(torch.tensor([-1.0, 0.0, 1.0]))
    assert [layer.blank for layer in activation_maps(network, torch.rand(1, 4, 4))] == [3, 3]


def test_a_strip_has_room_for_eight_maps():
    strip = strip_pixels(np.arange(3 * 16, dtype=np.float32).reshape(3, 4, 4))
    assert strip.shape[0] == 32 and strip.shape[1] == MOST_MAPS * 34 - 2
    assert np.nanmin(strip) == 0 and np.nanmax(strip) == 1
    assert np.isnan(strip[:, 3 * 34 :]).all()


def test_kernels_of_three_channels_are_coloured():
    network = build(Design(kernels=((5,),)), (3, 8, 8), 2)
    info = plot_kernels.kernels_info(network, (3, 8, 8))
    assert info.pictures.shape == (5, 3, 3, 3) and info.of == "kernels"
    assert info.pictures.min() == 0 and info.pictures.max() == 1


def test_without_convolutions_the_neurons_are_shown():
    network = build(Design(kernels=(), dense=(100,)), (1, 8, 8), 10)
    info = plot_kernels.kernels_info(network, (1, 8, 8))
    assert info.pictures.shape == (64, 8, 8) and (info.of, info.total) == ("neurons", 100)
    assert np.abs(info.pictures).max() == 1


def test_a_sample_of_each_class_has_its_maps(digits_run):
    winner = read(str(digits_run), digits_run.parent).winner
    info = activations_info(winner, 3)
    assert info.title == "3" and info.image.shape == (8, 8) and len(info.strips) == 5
    assert shown_first(winner) == list(range(10))


def test_file_names_take_any_class():
    assert figure_name(3, "../<a b>") == "activations_03_____a_b_"


def test_curves_are_in_percent_and_a_diverged_epoch_is_a_gap(make_run):
    run = make_run()
    run.trial(0, [0.5, None], training=[0.6, None])
    run.trial(1, [0.7], name="cnn-3")
    info = plot_curves.best_curves_info(run.findings().run)
    assert [curve.label for curve in info.curves] == ["cnn-3 (trial 1)", "trial 0"]
    assert info.curves[1].held_out[0] == 50.0 and np.isnan(info.curves[1].held_out[1])
    assert info.curves[1].training[0] == pytest.approx(60.0)


def test_the_cost_axis_suits_the_costs(make_run):
    run = make_run()
    run.trial(0, [0.5, 0.6], seconds=60.0)
    run.trial(1, [0.7], seconds=3000.0)
    found = run.findings()
    info = plot_accuracy_cost.time_info(found.points, found.knee, "validation")
    assert info.cost.tolist() == [1.0, 2.0, 50.0] and info.cost_label.endswith("minutes")
    assert info.log and info.front.all() and info.knee is not None
    assert info.percent.tolist() == pytest.approx([50.0, 60.0, 70.0])


@pytest.mark.parametrize("points", [[(1.0, 0.5)], [(2.0, 0.5), (3.0, 0.6)]])
def test_a_figure_of_few_points_can_be_drawn(make_run, points):
    run = make_run()
    for number, (seconds, accuracy) in enumerate(points):
        run.trial(number, [accuracy], seconds=seconds)
    found = run.findings()
    info = plot_accuracy_cost.time_info(found.points, found.knee, "validation")
    assert not info.log and info.knee is None
    with style():
        plot_accuracy_cost.draw(info).canvas.draw()
