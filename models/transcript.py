"""The transcript's designs by name, ann-1 to final: networks that a team once found by hand.

Where the transcript leaves a choice open, the choice and its reason stand here. Choices that hold
for all of them: pixels are divided by 255, as the transcript says. Padding is "same": 50 maps of
32x32 into ten neurons is the only way to its 500k parameters of one convolution. Optimizers keep
Keras' default rates (SGD 0.01, Adam 0.001), for the transcript names none before its last network.
The batch is 32, Keras' default, for the same reason. All train for ten epochs, "empirically
selected", but for the last. Activations are ReLU.
"""

from models.design import Design

TRANSCRIPT: dict[str, Design] = {
    # "A single FC layer with ten neurons with 30k parameters": 3,072 inputs x 10 + 10.
    "ann-1": Design(
        kernels=(),
        normalisation="scale",
        optimizer="sgd",
        learning_rate=0.01,
        batch_size=32,
        epochs=10,
    ),
    # "Two more FC layers, 100 then 50 and finally 10 neurons."
    "ann-3": Design(
        kernels=(),
        dense=(100, 50),
        normalisation="scale",
        optimizer="sgd",
        learning_rate=0.01,
        batch_size=32,
        epochs=10,
    ),
    # "One convolutional layer with 50 kernels", no pooling: it is tried first in the next network.
    "cnn-1": Design(
        kernels=((50,),),
        pooling="none",
        normalisation="scale",
        optimizer="adam",
        batch_size=32,
        epochs=10,
    ),
    # "50, 100, then 200 kernels", pooling 2x2 after each: so 350k parameters come out.
    "cnn-3": Design(
        kernels=((50,), (100,), (200,)),
        dense=(40, 40),
        normalisation="scale",
        optimizer="adam",
        batch_size=32,
        epochs=10,
    ),
    # "Five convolution layers ... dropout before the FC layers, with a rate of 0.3 ... 800k
    # parameters". The transcript does not say how the five stand: 50 | 100 100 | 200 200 keeps the
    # doubling and the three poolings of the network before it, and comes to 807,090.
    "cnn-5-dropout": Design(
        kernels=((50,), (100, 100), (200, 200)),
        flat_dropout=0.3,
        dense=(40, 40),
        normalisation="scale",
        optimizer="adam",
        batch_size=32,
        epochs=10,
    ),
    # "Convolutional, normalisation, pooling and dropout layers", SGD at 0.001 with momentum 0.9,
    # 300 epochs. Layers are those of the transcript's reference [1]. The batch of "664" is read as
    # 64. Batch norm stands before the activation (Ioffe & Szegedy 2015); the transcript says only
    # "after convolutional layers", and the count of parameters is the same either way.
    "final": Design(
        kernels=((32, 32), (64, 64), (128, 128)),
        batch_norm=True,
        block_dropout=(0.3, 0.5, 0.5),
        dense=(128,),
        dense_dropout=0.5,
        normalisation="scale",
        optimizer="momentum",
        learning_rate=0.001,
        momentum=0.9,
        batch_size=64,
        epochs=300,
    ),
}
