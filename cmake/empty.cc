// A layer that holds only headers still makes a library.
